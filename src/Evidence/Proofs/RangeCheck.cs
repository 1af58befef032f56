using System.Globalization;
using System.Security.Cryptography;
using Evidence.Hashing;
using Evidence.Segments;
using Evidence.Vaults;

namespace Evidence.Proofs;

/// <summary>Checks that bytes are those of a range of an image: each segment by its id, its place by the page, the page by its place under the map's root.</summary>
internal sealed class RangeCheck(ProofFile proof, ImageManifest manifest)
{
    private readonly long offset = proof.Subject.Offset!.Value;
    private readonly long end = checked(proof.Subject.Offset!.Value + proof.Subject.Length!.Value);

    /// <summary>Checks it, says what it is made of, and gives the SHA-256 of the range's bytes.</summary>
    /// <exception cref="FormatException">It does not hold.</exception>
    internal Sha256Digest Run(Action<string> say, Stream? output)
    {
        Demand(end <= manifest.Size, "The range reaches beyond the image");
        Demand(end - offset <= Prover.LongestRange, "The range is longer than one proof is of");
        List<MapRun> runs = CheckPages();
        // First all of it, then the first byte handed out.
        Sha256Digest sha256 = CheckContent(runs, Stream.Null);
        if (output is not null)
            Demand(CheckContent(runs, output) == sha256, "The file changed while it was read");
        IEnumerable<string> parts = runs.GroupBy(run => run.Kind).OrderBy(kind => kind.Key)
            .Select(kind => string.Create(CultureInfo.InvariantCulture, $"{kind.Sum(run => (long)Part(run).Length)} {Words(kind.Key)}"));
        say(string.Create(CultureInfo.InvariantCulture, $"Bytes {offset} to {end - 1} of the image are shown to be part of it: {string.Join(", ", parts)}. Their SHA-256 is {sha256}{(runs.Any(run => run.Kind >= RunKind.Hole) ? ", with zeros for what was not read" : "")}."));
        return sha256;
    }

    /// <summary>Where the range's part of a run begins in that, and how long it is.</summary>
    private (int From, int Length) Part(MapRun run)
    {
        int from = (int)(Math.Max(run.Offset, offset) - run.Offset);
        return (from, (int)(Math.Min(run.End, end) - run.Offset) - from);
    }

    private List<MapRun> CheckPages()
    {
        var runs = new List<MapRun>();
        long number = offset / SegmentParameters.PageSize;
        foreach (ProvedPage proved in proof.Pages)
        {
            Demand(proved.Number == number && number * (Int128)SegmentParameters.PageSize < end, $"Page {proved.Number} of the map is not the one that comes next");
            var page = MapPage.Decode(proved.Bytes);
            Demand(
                page.Length == Math.Min(SegmentParameters.PageSize, manifest.Size - (number * SegmentParameters.PageSize)) &&
                MerkleProof.VerifyInclusion(number, manifest.Pages, MerkleTree.LeafHash(page.Root.ToArray()), [.. proved.Proof], manifest.Root),
                $"Page {number} is not shown to be at its place in the image's map");
            long start = number * SegmentParameters.PageSize;
            runs.AddRange(page.Runs.Select(run => run with { Offset = start + run.Offset }).Where(run => run.End > offset && run.Offset < end));
            number++;
        }

        Demand(number * (Int128)SegmentParameters.PageSize >= end, $"Page {number} of the map is missing");
        return runs;
    }

    /// <summary>Goes through the content of the range, each segment held against its id and its run, one in memory at a time.</summary>
    private Sha256Digest CheckContent(List<MapRun> runs, Stream output)
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var known = new Dictionary<Sha256Digest, int>();
        foreach (MapRun run in runs)
        {
            (int from, int length) = Part(run);
            if (run.Kind == RunKind.Data)
                Take(Content(run, known).AsSpan(from, length));
            else
                Fill(run.Value, length);
        }

        Demand(known.Count == proof.Segments.Count, "It has content that no part of the range is made of");
        return new Sha256Digest(digest.GetHashAndReset());

        void Take(ReadOnlySpan<byte> bytes)
        {
            digest.AppendData(bytes);
            output.Write(bytes);
        }

        void Fill(byte value, int length)
        {
            var part = new byte[Math.Min(length, 1 << 16)];
            Array.Fill(part, value);
            for (; length > 0; length -= part.Length)
                Take(part.AsSpan(0, Math.Min(length, part.Length)));
        }
    }

    private byte[] Content(MapRun run, Dictionary<Sha256Digest, int> known)
    {
        if (!known.TryGetValue(run.Segment, out int index))
        {
            index = known.Count;
            Demand(index < proof.Segments.Count, $"The content of the segment at offset {run.Offset} is missing");
            known.Add(run.Segment, index);
        }

        byte[] content = proof.Segments.Read(index);
        Demand(Sha256Digest.Compute(content) == run.Segment, $"The content of the segment at offset {run.Offset} is not what its id says");
        Demand(content.Length == run.Length, $"The segment at offset {run.Offset} has {content.Length} bytes where the map has {run.Length}");
        return content;
    }

    private static string Words(RunKind kind) => kind switch
    {
        RunKind.Data => "read, and here",
        RunKind.Zero => "read, all zero",
        RunKind.Fill => "read, all of one byte",
        RunKind.Hole => "not read, for the source said that nothing is there",
        RunKind.Unreadable => "that the source refused",
        _ => "never read",
    };

    private static void Demand(bool holds, string otherwise)
    {
        if (!holds)
            throw new FormatException(otherwise + ".");
    }
}
