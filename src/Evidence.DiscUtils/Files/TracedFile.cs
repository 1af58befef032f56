using Evidence.Files;

namespace Evidence.DiscUtils.Files;

/// <summary>
/// Where a file lies, by what DiscUtils reads of the image to read it. What it says itself is not asked for: in FAT it leaves out where the clusters begin, in ext4 it ends at 2 GiB, and of
/// sparse files it tells the places without those in the file.
/// </summary>
internal static class TracedFile
{
    /// <summary>One of more is listed, and cannot be returned.</summary>
    private const int MostRuns = 1 << 20;

    /// <summary>Asks for the first byte of each cluster, and looks what that reads.</summary>
    /// <param name="image">The image.</param>
    /// <param name="open">Opens the file: some of it may be read at that.</param>
    /// <param name="length">The file's length.</param>
    /// <param name="cluster">The length of its clusters, each of which is in one piece.</param>
    internal static List<FileRun> Find(ImageStream image, Func<Stream> open, long length, int cluster)
    {
        var runs = new List<FileRun>();
        image.Trace();
        using Stream content = open();
        Span<byte> one = stackalloc byte[1];
        for (long offset = 0; offset < length; offset += cluster)
        {
            content.Position = offset;
            content.ReadExactly(one);
            // What is read first may be of the file's own description: the last read gives the content.
            if (image.Reads is [.., var last] && (last.Length == 1 || last.Length >= cluster))
                Add(runs, new FileRun(offset, last.Offset, Math.Min(cluster, length - offset)));
            image.Trace();
        }

        return runs;
    }

    /// <summary>Reads a file unit by unit, each of which lies in as many clusters as it takes.</summary>
    /// <param name="image">The image.</param>
    /// <param name="open">Opens the file.</param>
    /// <param name="unit">The length of the units.</param>
    internal static List<FileRun> FindCompressed(ImageStream image, Func<Stream> open, int unit)
    {
        var runs = new List<FileRun>();
        var buffer = new byte[unit];
        using Stream content = open();
        for (long offset = 0; ;)
        {
            image.Trace();
            int count = content.ReadAtLeast(buffer, unit, throwOnEndOfStream: false);
            if (count == 0)
                return runs;
            long at = offset;
            foreach ((long place, int length) in image.Reads)
            {
                Add(runs, new FileRun(at, place, length));
                at += length;
            }

            offset += count;
        }
    }

    private static void Add(List<FileRun> runs, FileRun run)
    {
        if (runs is [.., var last] && last.FileOffset + last.Length == run.FileOffset && last.ImageOffset + last.Length == run.ImageOffset)
            runs[^1] = last with { Length = last.Length + run.Length };
        else if (runs.Count < MostRuns)
            runs.Add(run);
        else
            throw new InvalidDataException($"It is in more than {MostRuns} pieces");
    }
}
