using Evidence.Sources;

namespace Evidence.Tests.Sources;

/// <summary>A disk in memory with bad sectors, which can also be cut short or pulled out while it is read.</summary>
internal sealed class FailingSource(byte[] content, int sectorSize = Source.DefaultSectorSize) : Source
{
    private const int EIO = 5;
    private const int ENODEV = 19;

    private const int Page = 4096;

    private readonly Lock gate = new();
    private bool cached;
    private readonly List<SourceExtent> requests = [];

    /// <summary>The numbers of the sectors that fail.</summary>
    public HashSet<long> BadSectors { get; init; } = [];

    /// <summary>How often a bad sector fails before it can be read, as on a disk where retries help. Unless set, for ever.</summary>
    public int FailuresPerSector { get; init; } = int.MaxValue;

    /// <summary>Whether a request with a bad sector fails as a whole, as with O_DIRECT, or only from that sector on.</summary>
    public bool FailsWholeRequest { get; init; }

    /// <summary>The size of reads that it says suits it.</summary>
    public int SuitableReadSize { get; init; } = 4 << 20;

    /// <summary>
    /// Whether it begins as a file is read through the page cache, where a bad sector costs its page, and is read directly from the first error
    /// on. Unless set, it is read directly if a request fails as a whole.
    /// </summary>
    public bool BeginsCached
    {
        get => cached;
        init => cached = value;
    }

    public override bool IsDirect => FailsWholeRequest && !cached;

    public override int ErrorGranularity => cached ? Math.Max(Page, sectorSize) : base.ErrorGranularity;

    public override int PreferredReadSize => SuitableReadSize;

    /// <summary>The length from now on, where the source was cut short.</summary>
    public long? TruncatedLength { get; set; }

    /// <summary>After how many requests the source is gone.</summary>
    public int? VanishesAfter { get; set; }

    /// <summary>What the source claims of its ranges; all data unless set.</summary>
    public IReadOnlyList<SourceExtent>? ClaimedExtents { get; init; }

    /// <summary>What was asked of the source so far.</summary>
    public IReadOnlyList<SourceExtent> Requests
    {
        get
        {
            lock (gate)
                return [.. requests];
        }
    }

    public override SourceIdentity Identity { get; } = new()
    {
        Kind = SourceKind.BlockDevice,
        Name = "/dev/failing",
        Length = content.Length,
        LogicalSectorSize = sectorSize,
        PhysicalSectorSize = sectorSize,
        Device = new DeviceIdentity { Number = "0:0", KernelName = "failing", Model = "Test double", Serial = "0001" },
        Usage = new DeviceUsage(),
    };

    public override long? Length => content.Length;

    public override IEnumerable<SourceExtent> Extents() => ClaimedExtents ?? base.Extents();

    public override void EnsureUnchanged()
    {
        if (TruncatedLength is { } now && now != content.Length)
            throw new SourceChangedException(Identity.Name, SourceChange.Shorter, content.Length, now);
    }

    protected override int ReadCore(long offset, Span<byte> buffer)
    {
        lock (gate)
        {
            requests.Add(new SourceExtent(offset, buffer.Length, SourceExtentKind.Data));
            if (requests.Count > VanishesAfter)
                throw new SourceReadException(Identity.Name, offset, buffer.Length, ENODEV);
            int count = (int)Math.Clamp((TruncatedLength ?? content.Length) - offset, 0, buffer.Length);
            long page = cached ? Page : 1;
            long first = offset / page * page;
            if (FirstBadByte(first, (int)((offset + count - first + page - 1) / page * page)) is { } bad)
            {
                bool whole = IsDirect;
                bad = Math.Max(offset, bad / page * page);
                cached &= bad != offset;
                if (whole || bad == offset)
                    throw new SourceReadException(Identity.Name, offset, buffer.Length, EIO);
                count = (int)(bad - offset);
            }

            content.AsSpan((int)offset, count).CopyTo(buffer);
            return count;
        }
    }

    private readonly Dictionary<long, int> failures = [];

    private long? FirstBadByte(long offset, int count)
    {
        for (long sector = offset / sectorSize; sector * sectorSize < offset + count; sector++)
        {
            if (!BadSectors.Contains(sector) || failures.GetValueOrDefault(sector) >= FailuresPerSector)
                continue;
            long first = Math.Max(offset, sector * sectorSize);
            // Only a request that begins there, or fails as a whole, sees the error; others stop before it.
            if (IsDirect || first == offset)
                failures[sector] = failures.GetValueOrDefault(sector) + 1;
            return first;
        }

        return null;
    }
}
