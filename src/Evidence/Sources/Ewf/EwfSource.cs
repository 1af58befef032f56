using System.Security.Cryptography;

namespace Evidence.Sources.Ewf;

/// <summary>
/// The disk in an E01 or S01 of EnCase, FTK, linen, SMART or libewf (<c>docs/format/e01.md</c>). A chunk whose checksum fails, or that does not inflate, refuses to be read;
/// what the file says was not read when it was made is told by <see cref="Absences"/>.
/// </summary>
public sealed class EwfSource : Source
{
    private readonly EwfSet set;
    private readonly EwfTables tables;
    private readonly EwfAbsences absences;
    private readonly int chunkLength;
    private readonly long media;
    private readonly Lock gate = new();
    private readonly byte[] last;
    private long lastChunk = -1;

    private EwfSource(string path, EwfSet set)
    {
        this.set = set;
        absences = EwfAbsences.Of(set);
        EwfVolume volume = set.Volume;
        chunkLength = (int)(volume.SectorsPerChunk * volume.BytesPerSector);
        media = volume.Sectors * volume.BytesPerSector;
        tables = new EwfTables(set.Files, set.Groups, chunkLength, set.Findings);
        last = new byte[chunkLength];
        Identity = new SourceIdentity
        {
            Kind = SourceKind.Ewf,
            Name = path,
            Length = absences.Size ?? media,
            LogicalSectorSize = (int)volume.BytesPerSector,
            Modified = set.Files.Max(f => f.Status.Modified),
            Parts = [.. set.Files.Select(f => new SourcePart(f.Path, f.Length))],
        };
    }

    /// <inheritdoc/>
    public override SourceIdentity Identity { get; }

    /// <inheritdoc/>
    public override long? Length => Identity.Length;

    /// <summary>A chunk fails as a whole.</summary>
    public override int ErrorGranularity => chunkLength;

    /// <inheritdoc/>
    public override IReadOnlyList<SourceAbsence> Absences => absences.Absent;

    /// <inheritdoc/>
    public override ContainerReport Container => new()
    {
        Format = "ewf",
        Details = set.Details,
        Digests = [.. Digests()],
        Findings = set.Findings.ToList(),
        MoreFindings = set.Findings.More,
    };

    /// <summary>Opens an E01 by the path of any of its segments.</summary>
    /// <param name="path">A segment.</param>
    /// <exception cref="EvidenceException">A segment is missing or damaged in a way that leaves no order of chunks, or it is no E01; the message says where.</exception>
    public static EwfSource Open(string path)
    {
        path = Path.GetFullPath(path);
        EwfSet opened = EwfSet.Open(path);
        try
        {
            return new EwfSource(opened.Files[0].Path, opened);
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    /// <summary>The holes that the source of the E01 told of, where it was this library that made it; all else is data.</summary>
    public override IEnumerable<SourceExtent> Extents()
    {
        long position = 0;
        long length = Identity.Length!.Value;
        foreach (SourceExtent hole in absences.Holes)
        {
            if (hole.Offset >= length)
                break;
            if (hole.Offset > position)
                yield return new SourceExtent(position, hole.Offset - position, SourceExtentKind.Data);
            yield return hole with { Length = Math.Min(hole.Length, length - hole.Offset) };
            position = hole.End;
        }

        if (position < length)
            yield return new SourceExtent(position, length - position, SourceExtentKind.Data);
    }

    /// <inheritdoc/>
    public override void EnsureUnchanged()
    {
        foreach (EwfFile file in set.Files)
        {
            if (file.StatusNow() is { } now && (now.Length != file.Length || now.Modified != file.Status.Modified))
                throw new SourceChangedException(file.Path, now.Length < file.Length ? SourceChange.Shorter : now.Length > file.Length ? SourceChange.Longer : SourceChange.Modified, file.Length, now.Length);
        }
    }

    /// <summary>
    /// A digest over all sectors as they stand in the file, which is what its own digests are over: with what fills the last sector, and what stands where bad sectors are.
    /// Chunks that cannot be read count as zeros.
    /// </summary>
    /// <param name="algorithm"><c>md5</c> or <c>sha1</c>.</param>
    /// <param name="cancellation">Stops it.</param>
    public override string? DigestOfContainer(string algorithm, CancellationToken cancellation = default)
    {
        HashAlgorithmName? name = algorithm switch
        {
            "md5" => HashAlgorithmName.MD5,
            "sha1" => HashAlgorithmName.SHA1,
            _ => null,
        };
        if (name is not { } known)
            return null;
        using var hash = IncrementalHash.CreateHash(known);
        var buffer = new byte[Math.Max(1, (4 << 20) / chunkLength) * chunkLength];
        for (long offset = 0; offset < media; offset += buffer.Length)
        {
            cancellation.ThrowIfCancellationRequested();
            Span<byte> part = buffer.AsSpan(0, (int)Math.Min(buffer.Length, media - offset));
            ReadChunks(offset, part);
            hash.AppendData(part);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <inheritdoc/>
    protected override int ReadCore(long offset, Span<byte> buffer)
    {
        long chunk = offset / chunkLength;
        int within = (int)(offset % chunkLength);
        int whole = LengthOf(chunk);
        if (within == 0 && buffer.Length >= whole)
        {
            // As many whole chunks as there is room for, decoded where they are to be.
            long end = offset + buffer.Length >= media ? media : (offset + buffer.Length) / chunkLength * chunkLength;
            Span<byte> part = buffer[..(int)(end - offset)];
            if (ReadChunks(offset, part) is { } bad)
                throw Refused(Math.Max(offset, bad.Chunk * chunkLength), LengthOf(bad.Chunk), bad.Reason, bad.Cause);
            return part.Length;
        }

        lock (gate)
        {
            if (lastChunk != chunk)
            {
                lastChunk = -1;
                if (Decode(chunk, last.AsSpan(0, whole)) is { } bad)
                    throw Refused(offset, Math.Min(buffer.Length, whole - within), bad.Reason, bad.Cause);
                lastChunk = chunk;
            }

            int count = Math.Min(buffer.Length, whole - within);
            last.AsSpan(within, count).CopyTo(buffer);
            return count;
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        set.Dispose();
        base.Dispose(disposing);
    }

    private int LengthOf(long chunk) => (int)Math.Min(chunkLength, media - (chunk * chunkLength));

    private SourceReadException Refused(long offset, long length, string reason, SourceReadException? cause) =>
        cause is null ? new SourceReadException(Identity.Name, offset, length, reason) : new SourceReadException(Identity.Name, offset, length, cause.Errno, cause);

    /// <summary>Reads whole chunks from an offset on, on all cores; those that cannot be read come as zeros.</summary>
    /// <returns>The first that cannot be read; null where all can.</returns>
    private unsafe Bad? ReadChunks(long offset, Span<byte> buffer)
    {
        long first = offset / chunkLength;
        int count = (buffer.Length + chunkLength - 1) / chunkLength;
        var bad = new Bad?[count];
        fixed (byte* start = buffer)
        {
            nint address = (nint)start;
            int length = buffer.Length;
            // A few chunks are a task's worth.
            int step = Math.Max(1, (256 << 10) / chunkLength);
            Parallel.For(0, (count + step - 1) / step, task =>
            {
                for (int i = task * step; i < Math.Min(count, (task + 1) * step); i++)
                {
                    var chunk = new Span<byte>((byte*)address + ((long)i * chunkLength), Math.Min(chunkLength, length - (i * chunkLength)));
                    bad[i] = Decode(first + i, chunk);
                    if (bad[i] is not null)
                        chunk.Clear();
                }
            });
        }

        return Array.Find(bad, b => b is not null);
    }

    /// <summary>Reads a chunk; tells why where it cannot be relied on.</summary>
    private Bad? Decode(long chunk, Span<byte> content)
    {
        EwfPlace place = tables.Find(chunk);
        EwfFile file = set.Files[place.File];
        try
        {
            string? defect = EwfChunkDecoder.Decode(file, place, content, chunkLength, out string? remark);
            if (remark is not null)
                set.Findings.Add("chunk", file.Name, place.Offset, $"{remark} It is chunk {chunk}.");
            if (defect is null)
                return null;
            set.Findings.Add("chunk", file.Name, place.Offset, $"Chunk {chunk}, of {content.Length} bytes at offset {chunk * chunkLength} of the image, cannot be relied on: {defect}.");
            return new Bad(chunk, $"damaged in {file.Name}: {defect}", null);
        }
        catch (SourceReadException e)
        {
            set.Findings.Add("chunk", file.Name, place.Offset, $"Chunk {chunk}, at offset {chunk * chunkLength} of the image, cannot be read: {e.Message}");
            return new Bad(chunk, e.Message, e);
        }
        catch (SourceChangedException e)
        {
            set.Findings.Add("chunk", file.Name, place.Offset, e.Message);
            return new Bad(chunk, "the file ends before it", null);
        }
    }

    private IEnumerable<StoredDigest> Digests()
    {
        // What is absent counts as zeros in the digests of an image: of the stored ones only where zeros stand there, too.
        bool same = Identity.Length == media && AbsentIsZeros.Value;
        foreach ((string algorithm, string value, _, _) in set.Digests)
            yield return new StoredDigest(algorithm, value, same);
        if (absences.Sha256 is { } sha256)
            yield return new StoredDigest("sha256", sha256, IsOfImage: true);
    }

    private Lazy<bool> AbsentIsZeros => field ??= new Lazy<bool>(LookAtAbsent);

    /// <summary>Whether only zeros stand where nothing was read.</summary>
    private bool LookAtAbsent()
    {
        var buffer = new byte[chunkLength];
        foreach ((long offset, long length) in absences.Absent.Select(a => (a.Offset, a.Length)).Concat(absences.Holes.Select(h => (h.Offset, h.Length))))
        {
            for (long chunk = offset / chunkLength; chunk * chunkLength < offset + length; chunk++)
            {
                Span<byte> content = buffer.AsSpan(0, LengthOf(chunk));
                if (Decode(chunk, content) is not null)
                    continue;
                int start = (int)Math.Max(0, offset - (chunk * chunkLength));
                int end = (int)Math.Min(content.Length, offset + length - (chunk * chunkLength));
                if (content[start..end].ContainsAnyExcept((byte)0))
                    return false;
            }
        }

        return true;
    }

    /// <summary>A chunk that cannot be read.</summary>
    private sealed record Bad(long Chunk, string Reason, SourceReadException? Cause);
}
