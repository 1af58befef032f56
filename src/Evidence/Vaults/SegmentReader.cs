using System.Buffers;
using Evidence.Hashing;
using Evidence.Hashing.Lanes;
using Evidence.Segments;

namespace Evidence.Vaults;

/// <summary>Gives segments back by their ids, each checked against its id. May be used from several threads.</summary>
internal sealed class SegmentReader(VaultLayout layout, SegmentIndex index, bool fromMedium = false, bool refresh = true) : IDisposable
{
    private const int MostOpenPacks = 64;

    private readonly Lock gate = new();
    private readonly Dictionary<Sha256Digest, PackFile> packs = [];
    private readonly Queue<Sha256Digest> opened = new();

    /// <summary>Reads a segment.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="content">A buffer of exactly its length.</param>
    /// <exception cref="EvidenceException">It is not there, has another length, or is not what its id says (<see cref="ErrorCode.ContentRefuted"/>).</exception>
    internal void Read(Sha256Digest id, Span<byte> content)
    {
        SegmentLocation location = Find(id);
        try
        {
            Read(id, location, content);
        }
        catch (EvidenceException)
        {
            if (!TryReadElsewhere(id, location, content))
                throw;
        }
    }

    /// <summary>Reads several segments, and holds them against their ids side by side.</summary>
    /// <param name="runs">Their ids, and the lengths that the map gives them.</param>
    /// <param name="buffers">For each, room for its content.</param>
    /// <returns>For each, whether its content is there; reading it alone says what is wrong with it, and looks for another copy.</returns>
    internal unsafe bool[] TryRead(IReadOnlyList<MapRun> runs, IReadOnlyList<byte[]> buffers)
    {
        var read = new List<int>(runs.Count);
        for (int i = 0; i < runs.Count; i++)
        {
            if (Locate(runs[i]) is { } location && TryFill(runs[i], location, buffers[i].AsSpan(0, location.ContentLength)))
                read.Add(i);
        }

        var good = new bool[runs.Count];
        var pins = new MemoryHandle[read.Count];
        try
        {
            var messages = new LaneMessage[read.Count];
            for (int i = 0; i < pins.Length; i++)
            {
                pins[i] = buffers[read[i]].AsMemory().Pin();
                messages[i] = new LaneMessage((byte*)pins[i].Pointer, (int)runs[read[i]].Length);
            }

            var digests = new Sha256Digest[read.Count];
            Sha256Digest.Compute(messages, digests);
            for (int i = 0; i < digests.Length; i++)
                good[read[i]] = digests[i] == runs[read[i]].Segment;
            return good;
        }
        finally
        {
            foreach (MemoryHandle pin in pins)
                pin.Dispose();
        }
    }

    /// <summary>Reads content whose length only its record tells.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="maximumLength">The most bytes that it can rightly have.</param>
    internal byte[] Read(Sha256Digest id, int maximumLength)
    {
        int length = Find(id).ContentLength;
        if (length > maximumLength)
            throw new EvidenceException(ErrorCode.ContentRefuted, $"{id} has {length} bytes, more than the {maximumLength} that it can have.");
        var content = new byte[length];
        Read(id, content);
        return content;
    }

    /// <summary>Reads segments only to hold them against their ids: many of them go through the hash side by side.</summary>
    /// <param name="runs">Their ids, and the lengths that the map gives them.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>Each, in the same order, with the error that reading it would end in; null where it is good.</returns>
    internal IEnumerable<(MapRun Run, EvidenceException? Error)> Check(IEnumerable<MapRun> runs, CancellationToken cancellation)
    {
        using var batch = new ContentBatch();
        var checks = new List<(MapRun Run, int? Content)>();
        foreach (MapRun run in runs)
        {
            cancellation.ThrowIfCancellationRequested();
            if (Locate(run) is not { } location)
            {
                checks.Add((run, null));
                continue;
            }

            if (!batch.HasRoom(location.ContentLength))
            {
                foreach ((MapRun, EvidenceException?) result in EndChecks(batch, checks))
                    yield return result;
            }

            Span<byte> content = batch.Take(location.ContentLength);
            checks.Add((run, TryFill(run, location, content) ? batch.Add(content) : null));
        }

        foreach ((MapRun, EvidenceException?) result in EndChecks(batch, checks))
            yield return result;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (gate)
        {
            foreach (PackFile pack in packs.Values)
                pack.Dispose();
            packs.Clear();
        }
    }

    /// <summary>Where a segment lies; null where it is nowhere, or there is one that cannot be this.</summary>
    private SegmentLocation? Locate(MapRun run)
    {
        try
        {
            SegmentLocation location = Find(run.Segment);
            // What a record takes is at most its content's length, header aside.
            return location.ContentLength == run.Length && location.StoredLength <= run.Length ? location : null;
        }
        catch (EvidenceException)
        {
            return null;
        }
    }

    private List<(MapRun, EvidenceException?)> EndChecks(ContentBatch batch, List<(MapRun Run, int? Content)> checks)
    {
        Sha256Digest[] digests = batch.Digests();
        var results = new List<(MapRun, EvidenceException?)>(checks.Count);
        foreach ((MapRun run, int? content) in checks)
            results.Add((run, content is { } number && digests[number] == run.Segment ? null : ErrorOf(run)));
        batch.Clear();
        checks.Clear();
        return results;
    }

    /// <summary>Reads a segment that was not good, alone: there may be another copy of it, and else that says what is wrong.</summary>
    private EvidenceException? ErrorOf(MapRun run)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent((int)run.Length);
        try
        {
            Read(run.Segment, buffer.AsSpan(0, (int)run.Length));
            return null;
        }
        catch (EvidenceException e)
        {
            return e;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void Read(Sha256Digest id, SegmentLocation location, Span<byte> content)
    {
        PackFile pack = Open(location.Pack);
        if (!TryFill(pack, id, location, content) || Sha256Digest.Compute(content) != id)
            throw pack.Refuted($"the record at offset {location.Offset} is not segment {id}");
    }

    /// <summary>As <see cref="TryFill(PackFile, Sha256Digest, SegmentLocation, Span{byte})"/>, where any failure is one: whoever reads the segment alone is told which.</summary>
    private bool TryFill(MapRun run, SegmentLocation location, Span<byte> content)
    {
        try
        {
            return TryFill(Open(location.Pack), run.Segment, location, content);
        }
        catch (EvidenceException)
        {
            return false;
        }
    }

    /// <summary>Reads a record's content, and does not hold it against its id.</summary>
    /// <returns>Whether the stored bytes can be expanded.</returns>
    private static bool TryFill(PackFile pack, Sha256Digest id, SegmentLocation location, Span<byte> content)
    {
        RecordHeader header = pack.ReadHeader(location.Offset, location.StoredLength);
        if (header.ContentLength != content.Length)
            throw pack.Refuted($"segment {id} at offset {location.Offset} has {header.ContentLength} bytes where the map names {content.Length}");
        if (header.Codec == Codec.Stored)
        {
            pack.ReadStored(location.Offset, content);
            return true;
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent(header.StoredLength);
        try
        {
            Span<byte> stored = buffer.AsSpan(0, header.StoredLength);
            pack.ReadStored(location.Offset, stored);
            return SegmentCodec.TryExpand(header.Codec, stored, content);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Two packs may hold the same segment, and the index keeps one place. This goes through all packs for another: slow, and rare.</summary>
    private bool TryReadElsewhere(Sha256Digest id, SegmentLocation failed, Span<byte> content)
    {
        foreach (Sha256Digest name in layout.ListPacks().Where(p => p != failed.Pack))
        {
            try
            {
                PackEntry[] entries = Open(name).ReadIndex(name);
                int at = Array.FindIndex(entries, e => e.Header.Id == id);
                if (at < 0)
                    continue;
                var location = new SegmentLocation(name, entries[at].Offset, entries[at].Header.StoredLength, entries[at].Header.ContentLength);
                Read(id, location, content);
                index.Relocate(id, location);
                return true;
            }
            catch (EvidenceException)
            {
                // This copy is no better, or its pack cannot be read: the first copy's error is the one to report.
            }
        }

        return false;
    }

    private SegmentLocation Find(Sha256Digest id)
    {
        if (index.TryFindAny(id, out SegmentLocation location))
            return location;
        // Another process may have stored it since.
        if (refresh)
            index.Refresh();
        return index.TryFindAny(id, out location)
            ? location
            : throw new EvidenceException(
                ErrorCode.ContentRefuted, $"The vault at {layout.Folder} does not hold {id}, which it should. Run 'evidence verify' to see what that touches, and 'evidence repair' to bring it back from another copy.");
    }

    private PackFile Open(Sha256Digest name)
    {
        lock (gate)
        {
            if (packs.TryGetValue(name, out PackFile? pack))
                return pack;
            pack = PackFile.Open(layout.Pack(name));
            if (fromMedium)
                pack.DropCache();
            packs.Add(name, pack);
            opened.Enqueue(name);
            // Another thread may be reading the pack that is dropped here: its handle closes with the last reference to it.
            if (opened.Count > MostOpenPacks)
                packs.Remove(opened.Dequeue());
            return pack;
        }
    }
}
