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
        List<MapRun> runs = CheckPages();
        // First all of it, then the first byte handed out.
        byte[]?[] contents = CheckSegments(runs);
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var totals = new SortedDictionary<RunKind, long>();
        for (int i = 0; i < runs.Count; i++)
        {
            MapRun run = runs[i];
            int from = (int)(Math.Max(run.Offset, offset) - run.Offset);
            int length = (int)(Math.Min(run.End, end) - run.Offset) - from;
            totals[run.Kind] = totals.GetValueOrDefault(run.Kind) + length;
            ReadOnlySpan<byte> bytes = contents[i] is { } content ? content.AsSpan(from, length) : Filled(run.Value, length);
            digest.AppendData(bytes);
            output?.Write(bytes);
        }

        var sha256 = new Sha256Digest(digest.GetHashAndReset());
        string parts = string.Join(", ", totals.Select(t => string.Create(CultureInfo.InvariantCulture, $"{t.Value} {Words(t.Key)}")));
        say(string.Create(CultureInfo.InvariantCulture, $"Bytes {offset} to {end - 1} of the image are shown to be part of it: {parts}. Their SHA-256 is {sha256}{(totals.Keys.Any(k => k >= RunKind.Hole) ? ", with zeros for what was not read" : "")}."));
        return sha256;
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

    private byte[]?[] CheckSegments(List<MapRun> runs)
    {
        var contents = new byte[]?[runs.Count];
        var known = new Dictionary<Sha256Digest, byte[]>();
        int next = 0;
        for (int i = 0; i < runs.Count; i++)
        {
            if (runs[i].Kind != RunKind.Data)
                continue;
            if (!known.TryGetValue(runs[i].Segment, out byte[]? content))
            {
                Demand(next < proof.Segments.Count, $"The content of the segment at offset {runs[i].Offset} is missing");
                content = proof.Segments[next++];
                Demand(Sha256Digest.Compute(content) == runs[i].Segment, $"The content of the segment at offset {runs[i].Offset} is not what its id says");
                known.Add(runs[i].Segment, content);
            }

            Demand(content.Length == runs[i].Length, $"The segment at offset {runs[i].Offset} has {content.Length} bytes where the map has {runs[i].Length}");
            contents[i] = content;
        }

        Demand(next == proof.Segments.Count, "It has content that no part of the range is made of");
        return contents;
    }

    private static byte[] Filled(byte value, int length)
    {
        var bytes = new byte[length];
        Array.Fill(bytes, value);
        return bytes;
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
