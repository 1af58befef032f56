using Evidence.Hashing;
using Evidence.Segments;
using Evidence.Vaults;

namespace Evidence.Repair;

/// <summary>Goes once through the map of an image, and has whatever is missing searched for.</summary>
internal sealed class ImageWalk(RepairRun run, RepairImage image, bool isFirst)
{
    internal async Task RunAsync(Action<long> progress, CancellationToken cancellation)
    {
        image.Clear();
        if (run.ReadManifest(image) is not { } manifest)
        {
            image.Add(0, image.Size, null, "The manifest is missing or damaged. Another vault that holds the image has it: name it with --from.");
            return;
        }

        var rebuilding = new MapRebuilding(run, manifest);
        for (int number = 0; number < manifest.Tables.Count; number++)
        {
            long first = (long)number * PageTable.Capacity;
            Sha256Digest id = manifest.Tables[number];
            Note(id);
            byte[]? table = await run.FetchAsync(id, cancellation).ConfigureAwait(false) ?? rebuilding.TryTable(number, cancellation);
            PageEntry[]? entries = table is null ? null : Decode(table, b => PageTable.Decode(b));
            if (entries is null || entries.Length != Math.Min(PageTable.Capacity, manifest.Pages - first))
            {
                long start = first * SegmentParameters.PageSize;
                long length = Math.Min((long)PageTable.Capacity * SegmentParameters.PageSize, manifest.Size - start);
                image.Add(start, length, id, $"The table of the map's pages from {first} on is missing.");
                progress(length);
                continue;
            }

            for (int i = 0; i < entries.Length; i++)
                progress(await WalkPageAsync(manifest, rebuilding, first + i, entries[i], cancellation).ConfigureAwait(false));
        }
    }

    private async Task<long> WalkPageAsync(ImageManifest manifest, MapRebuilding rebuilding, long number, PageEntry entry, CancellationToken cancellation)
    {
        long start = number * SegmentParameters.PageSize;
        long length = Math.Min(SegmentParameters.PageSize, manifest.Size - start);
        Note(entry.Id);
        byte[]? bytes = await run.FetchAsync(entry.Id, cancellation).ConfigureAwait(false) ?? rebuilding.TryPage(number, entry.Id, cancellation);
        MapPage? page = bytes is null ? null : Decode(bytes, b => MapPage.Decode(b));
        if (page is null || page.Length != length || page.Root != entry.Root)
        {
            image.Add(start, length, entry.Id, $"Page {number} of the map is missing.");
            return length;
        }

        foreach (MapRun data in page.Runs)
        {
            cancellation.ThrowIfCancellationRequested();
            if (data.Kind != RunKind.Data)
                continue;
            Note(data.Segment);
            if (!run.Ensure(data.Segment, (int)data.Length, new ImagePlace(start + data.Offset, (int)data.Length), cancellation))
                image.Add(start + data.Offset, data.Length, data.Segment, $"Segment {data.Segment} is missing.");
        }

        return length;
    }

    /// <summary>Takes note, before anything is brought back for this image or another, of whether something was good.</summary>
    private void Note(Sha256Digest id)
    {
        if (isFirst && !run.WasFound(id))
            image.WasDamaged = true;
    }

    private static T? Decode<T>(byte[] bytes, Func<byte[], T> decode)
        where T : class
    {
        try
        {
            return decode(bytes);
        }
        catch (FormatException)
        {
            // It is what its id says, and was never right: no copy can be better.
            return null;
        }
    }
}
