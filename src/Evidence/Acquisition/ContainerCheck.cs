using Evidence.Hashing;
using Evidence.Sources;
using Evidence.Vaults;

namespace Evidence.Acquisition;

/// <summary>Holds the digests that a container stores against what was read out of it.</summary>
internal static class ContainerCheck
{
    /// <summary>The digests of the image that are needed for that.</summary>
    internal static IEnumerable<DigestAlgorithm> Algorithms(Source source)
    {
        foreach (StoredDigest stored in source.Container?.Digests ?? [])
        {
            if (stored.IsOfImage && DigestAlgorithms.TryParse(stored.Algorithm, out DigestAlgorithm algorithm))
                yield return algorithm;
        }
    }

    /// <summary>What is recorded of a source's container, when all of it has been read; null where it came in none.</summary>
    internal static ImportedContainer? Of(Source source, IReadOnlyList<ImageDigest> computed, CancellationToken cancellation)
    {
        if (source.Container is not { } before)
            return null;
        ComparedDigest[] compared = [.. before.Digests.Select(stored => new ComparedDigest(
            stored.Algorithm,
            stored.Value,
            stored.IsOfImage
                ? computed.FirstOrDefault(c => string.Equals(c.Algorithm.Name(), stored.Algorithm, StringComparison.Ordinal))?.Value
                : source.DigestOfContainer(stored.Algorithm, cancellation),
            stored.IsOfImage))];
        // Only what was read in the end has all findings.
        ContainerReport report = source.Container!;
        return new ImportedContainer
        {
            Format = report.Format,
            Details = report.Details,
            Digests = compared,
            Findings = report.Findings,
            MoreFindings = report.MoreFindings,
        };
    }
}
