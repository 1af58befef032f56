namespace Evidence.Sources;

/// <summary>A raw image in numbered parts: <c>disk.001</c>, <c>disk.002</c>, and so on, from number 0 or 1.</summary>
public sealed class SplitRawSet : Source
{
    private readonly RawFile[] parts;

    /// <summary>Where each part begins, and after them where the last one ends.</summary>
    private readonly long[] starts;

    private SplitRawSet(RawFile[] parts, int? sectorSize)
    {
        this.parts = parts;
        starts = new long[parts.Length + 1];
        for (int i = 0; i < parts.Length; i++)
            starts[i + 1] = starts[i] + parts[i].Length!.Value;
        Identity = new SourceIdentity
        {
            Kind = SourceKind.SplitFiles,
            Name = parts[0].Identity.Name,
            Length = starts[^1],
            LogicalSectorSize = sectorSize,
            Modified = parts.Max(part => part.Identity.Modified),
            Usage = parts.Select(part => part.Identity.Usage).Aggregate((one, other) => one is null || other is null ? one ?? other : one.With(other)),
            Parts = [.. parts.Select(part => new SourcePart(part.Identity.Name, part.Length!.Value))],
        };
    }

    /// <inheritdoc/>
    public override SourceIdentity Identity { get; }

    /// <inheritdoc/>
    public override long? Length => starts[^1];

    /// <summary>Whether every part is read past the page cache now.</summary>
    public override bool IsDirect => parts.All(part => part.IsDirect);

    /// <inheritdoc/>
    public override int ErrorGranularity => parts.Max(part => part.ErrorGranularity);

    /// <inheritdoc/>
    public override int PreferredReadSize => parts.Min(part => part.PreferredReadSize);

    /// <summary>Opens a split image by the name of any of its parts.</summary>
    /// <param name="path">A part.</param>
    /// <param name="sectorSize">The logical sector size of the disk in the image, where known.</param>
    /// <param name="directIO">See <see cref="SourceOptions.DirectIO"/>.</param>
    /// <exception cref="EvidenceException">A part is missing or empty, or may not be read; the message names it.</exception>
    public static SplitRawSet Open(string path, int? sectorSize = null, bool? directIO = null)
    {
        path = Path.GetFullPath(path);
        SplitRawName name = SplitRawName.TryParse(path) ?? throw new EvidenceException(
            ErrorCode.SourceUnsupported, $"{path} is no part of a split image: those end in a number, as in disk.001.");
        var opened = new List<RawFile>();
        try
        {
            foreach (string part in name.FindParts())
                opened.Add(RawFile.Open(part, directIO: directIO));
            if (opened.Count > 1 && opened.Find(part => part.Length == 0) is { } empty)
            {
                throw new EvidenceException(
                    ErrorCode.SourceUnsupported,
                    $"The part {empty.Identity.Name} of a split image is empty, so what belongs there is missing. Put the whole part back.");
            }

            return new SplitRawSet([.. opened], sectorSize);
        }
        catch
        {
            opened.ForEach(part => part.Dispose());
            throw;
        }
    }

    /// <summary>The data and the holes of the parts; neighbours of one kind are joined.</summary>
    public override IEnumerable<SourceExtent> Extents()
    {
        SourceExtent? pending = null;
        for (int i = 0; i < parts.Length; i++)
        {
            foreach (SourceExtent own in parts[i].Extents())
            {
                SourceExtent extent = own with { Offset = starts[i] + own.Offset };
                if (pending is not { } before)
                {
                    pending = extent;
                }
                else if (before.Kind == extent.Kind)
                {
                    pending = before with { Length = before.Length + extent.Length };
                }
                else
                {
                    yield return before;
                    pending = extent;
                }
            }
        }

        if (pending is { } last)
            yield return last;
    }

    /// <inheritdoc/>
    public override void EnsureUnchanged()
    {
        foreach (RawFile part in parts)
            part.EnsureUnchanged();
    }

    /// <inheritdoc/>
    protected override int ReadCore(long offset, Span<byte> buffer)
    {
        int index = Array.BinarySearch(starts, offset);
        if (index < 0)
            index = ~index - 1;
        long within = offset - starts[index];
        int count = (int)Math.Min(buffer.Length, starts[index + 1] - offset);
        try
        {
            return parts[index].Read(within, buffer[..count]);
        }
        catch (SourceReadException e)
        {
            foreach (RawFile part in parts)
                part.TurnAfterError();
            // The same failure, told as an offset of the whole image.
            throw new SourceReadException(e.SourceName, starts[index] + e.Offset, e.Length, e.Errno, e);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        foreach (RawFile part in parts)
            part.Dispose();
        base.Dispose(disposing);
    }
}
