using Evidence.Rescue;
using Evidence.Tests.Sources;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Evidence.Tests.Rescue;

/// <summary>How a read with a bad sector fails.</summary>
internal enum FailureKind
{
    /// <summary>What comes before the sector is given.</summary>
    AtTheSector,

    /// <summary>Nothing is given (a device with direct reads).</summary>
    AsAWhole,

    /// <summary>What comes before the sector's page is given, and from then on nothing (a file).</summary>
    AsAPageFirst,
}

/// <summary>A small disk with bad sectors, and how far somebody got with it before.</summary>
internal sealed record RescueDisk(
    int Length, int SectorSize, FailureKind Fails, int ReadSize, IReadOnlySet<long> Bad, IReadOnlyList<RescueRange> Before, int Seed)
{
    private readonly byte[] content = TestBytes.Random(Length, Seed);

    internal static Gen<RescueDisk> Generate() =>
        from sectorSize in Gen.Elements(512, 512, 4096)
        from sectors in Gen.OneOf(Gen.Choose(0, 40), Gen.Choose(0, (3 << 20) / sectorSize), Gen.Choose((4 << 20) / sectorSize, (5 << 20) / sectorSize))
        from tail in Gen.Elements(0, 0, 1, 511, 513)
        let length = sectors * sectorSize + (tail % sectorSize)
        from fails in Gen.Elements(FailureKind.AtTheSector, FailureKind.AsAWhole, FailureKind.AsAPageFirst)
        from readSize in Gen.Elements(64 << 10, 512 << 10, 4 << 20)
        from bad in BadSectors((length + sectorSize - 1) / sectorSize)
        from before in Gen.OneOf(Gen.Constant(new List<RescueRange>()), Ranges(length))
        from seed in Gen.Choose(0, 1000)
        select new RescueDisk(length, sectorSize, fails, readSize, bad, before, seed);

    internal FailingSource Open() => new(content, SectorSize)
    {
        BadSectors = [.. Bad],
        FailsWholeRequest = Fails != FailureKind.AtTheSector,
        BeginsCached = Fails == FailureKind.AsAPageFirst,
        SuitableReadSize = ReadSize,
    };

    internal RescueMap Start()
    {
        var map = new RescueMap(Length);
        foreach (RescueRange range in Before)
            map.Set(range.Offset, range.Length, range.Status);
        return map;
    }

    /// <summary>Everything good was given once with the right bytes, unless it was finished or given up before; the rest is bad.</summary>
    internal void CheckEnd(RescueMap map, RecordingSink sink, IReadOnlyList<RescueRange> before)
    {
        var start = new RescueMap(Length);
        foreach (RescueRange range in before)
            start.Set(range.Offset, range.Length, range.Status);
        var given = new bool[Length];
        foreach (RescueRange told in sink.Told.Where(t => t.Status == RescueStatus.Finished))
        {
            Assert.True(content.AsSpan((int)told.Offset, (int)told.Length).SequenceEqual(sink.Image.Slice((int)told.Offset, (int)told.Length)));
            Span<bool> range = given.AsSpan((int)told.Offset, (int)told.Length);
            Assert.False(range.Contains(true), "it was given twice");
            range.Fill(true);
        }

        long end = 0;
        foreach (RescueRange range in map.Ranges)
        {
            Assert.Equal(end, range.Offset);
            end = range.End;
        }

        Assert.Equal(Length, end);
        for (long at = 0; at < Length; at += 512)
        {
            bool wasFinal = start.RangeAt(at).Status is RescueStatus.Finished or RescueStatus.BadSector;
            bool isBad = wasFinal ? start.RangeAt(at).Status == RescueStatus.BadSector : Bad.Contains(at / SectorSize);
            Assert.Equal(isBad ? RescueStatus.BadSector : RescueStatus.Finished, map.RangeAt(at).Status);
            Assert.Equal(!wasFinal && !isBad, given[at]);
        }
    }

    public override string ToString() =>
        $"{Length} bytes, sectors of {SectorSize}, fails {Fails}, reads of {ReadSize}, bad {string.Join(' ', Bad.Order())}, before {string.Join(' ', Before)}";

    private static Gen<IReadOnlySet<long>> BadSectors(int sectors)
    {
        if (sectors == 0)
            return Gen.Constant<IReadOnlySet<long>>(new HashSet<long>());
        Gen<IEnumerable<long>> run =
            from first in Gen.OneOf(Gen.Choose(0, sectors - 1), Gen.Elements(0, sectors - 1))
            from count in Gen.Frequency((4, Gen.Choose(1, 3)), (2, Gen.Choose(1, 200)), (1, Gen.Choose(1, sectors)))
            from step in Gen.Elements(1, 1, 2, 7, 128)
            select Enumerable.Range(0, count).Select(i => first + ((long)i * step)).Where(s => s < sectors);
        return
            from runs in Gen.Choose(0, 6).SelectMany(n => run.ListOf(n))
            select (IReadOnlySet<long>)runs.SelectMany(r => r).ToHashSet();
    }

    private static Gen<List<RescueRange>> Ranges(int length)
    {
        if (length == 0)
            return Gen.Constant(new List<RescueRange>());
        int sectors = (length + 511) / 512;
        Gen<RescueRange> range =
            from first in Gen.Choose(0, sectors - 1)
            from count in Gen.OneOf(Gen.Choose(1, 10), Gen.Choose(1, sectors))
            from status in Gen.Elements(
                RescueStatus.NonTried, RescueStatus.NonTrimmed, RescueStatus.NonScraped, RescueStatus.BadSector, RescueStatus.Finished)
            let start = first * 512L
            select new RescueRange(start, Math.Min(count * 512L, length - start), status);
        return Gen.Choose(1, 12).SelectMany(n => range.ListOf(n)).Select(list => list.ToList());
    }
}
