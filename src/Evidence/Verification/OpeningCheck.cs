using System.Globalization;
using Evidence.Hashing;
using Evidence.Platform;
using Evidence.Vaults;

namespace Evidence.Verification;

/// <summary>Recomputes the openings of commitments, and tells of those that were destroyed, which refutes nothing.</summary>
/// <param name="layout">The vault.</param>
/// <param name="committed">The commitments of entries, each with the first entry that has it.</param>
/// <param name="erased">The openings that entries say were destroyed, each with the first that does.</param>
/// <param name="isReplica">Whether the vault is a replica, which has none.</param>
internal sealed class OpeningCheck(
    VaultLayout layout, IReadOnlyDictionary<Sha256Digest, long> committed, IReadOnlyDictionary<Sha256Digest, long> erased, bool isReplica)
{
    internal IEnumerable<Finding> Run(IReadOnlyList<Sha256Digest> openings)
    {
        foreach (Sha256Digest opening in openings)
        {
            bool isErased = erased.TryGetValue(opening, out long erasure);
            if (isErased)
                yield return new Finding("opening", FileOf(opening), null, null, $"Entry {erasure} says that it was destroyed, and it is still here: whoever was to destroy it was stopped, and has to do it again.", ContentVerdict.Verified);
            else if (!committed.ContainsKey(opening))
                yield return new Finding("unrecorded", FileOf(opening), null, null, "No ledger entry that can be read commits to it. No claim is made of it.", ContentVerdict.Verified);
            if (Defect(opening) is { } defect)
                yield return new Finding("opening", FileOf(opening), null, null, defect.Detail, isErased || !committed.ContainsKey(opening) ? ContentVerdict.Verified : defect.Verdict);
        }

        var there = openings.ToHashSet();
        (Sha256Digest Opening, long Entry)[] absent = [.. committed.Where(pair => !there.Contains(pair.Key)).OrderBy(pair => pair.Value).Select(pair => (pair.Key, pair.Value))];
        foreach ((Sha256Digest opening, long entry) in absent)
        {
            if (erased.TryGetValue(opening, out long erasure))
                yield return new Finding("destroyed", FileOf(opening), null, null, $"It was destroyed, by entry {erasure}. Entry {entry}, which commits to it, stands as it is; what it committed to can no longer be shown.", ContentVerdict.Verified);
            else if (!isReplica)
                yield return new Finding("opening", FileOf(opening), null, null, $"It is missing, although entry {entry} commits to it and none says that it was destroyed: it was lost, or taken away, or never came here.", ContentVerdict.Unverifiable);
        }

        if (isReplica && absent.Count(a => !erased.ContainsKey(a.Opening)) is > 0 and var count)
        {
            yield return new Finding("absent", "openings", null, null, string.Create(
                CultureInfo.InvariantCulture, $"Of {count} commitments of entries this replica has no openings: they are personal data, and are not sent."), ContentVerdict.Verified);
        }
    }

    private (string Detail, ContentVerdict Verdict)? Defect(Sha256Digest opening)
    {
        string path = layout.Opening(opening);
        try
        {
            Opening.Decode(DurableFile.Translate(path, "read", () => VaultFiles.ReadBounded(path, Opening.LargestSize)), opening);
            return null;
        }
        catch (FormatException e)
        {
            return ($"It is not the opening that its name says: {e.Message}", ContentVerdict.Refuted);
        }
        catch (EvidenceException e) when (string.Equals(e.Code, ErrorCode.PermissionDenied, StringComparison.Ordinal))
        {
            return ("It was not checked: only the vault's keeper may read it.", ContentVerdict.Incomplete);
        }
        catch (EvidenceException e)
        {
            return (e.Message, ContentVerdict.Refuted);
        }
    }

    private string FileOf(Sha256Digest opening) => Path.GetRelativePath(layout.Folder, layout.Opening(opening));
}
