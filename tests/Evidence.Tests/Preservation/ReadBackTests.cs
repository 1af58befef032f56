using System.Security.Cryptography;
using Evidence.Hashing;
using Evidence.Preservation;
using Evidence.Preservation.Statements;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Evidence.Tests.Preservation;

/// <summary>A sample of a wiped disk says what is there, at places that nobody chose.</summary>
public sealed class ReadBackTests : IDisposable
{
    private static readonly Sha256Digest Intent = Sha256Digest.Compute("intent"u8);

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void The_places_are_those_of_the_format()
    {
        // By a program of a few lines in another language, from docs/format/readback.md.
        Assert.Equal((long[])[1274162036, 1398547315, 2097695992, 2721761449, 2799240571], ReadBack.Places(Intent, "s-1/sda", 1L << 32, 5));
        Assert.Equal((long[])[45, 268, 518, 534, 875], ReadBack.Places(Intent, "s-1/sdé", 1000, 5));
    }

    [Fact]
    public void They_are_as_many_as_are_asked_for_on_the_disk_and_in_order()
    {
        Prop.ForAll(Gen.Choose(1, 3000).ToArbitrary(), Gen.Choose(1, 400).ToArbitrary(), (sectors, count) =>
        {
            long[] places = [.. ReadBack.Places(Intent, "disk", sectors, count)];
            Assert.Equal(Math.Min(sectors, count), places.Length);
            Assert.Equal(places.Order().Distinct(), places);
            Assert.All(places, place => Assert.InRange(place, 0, sectors - 1));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Another_wipe_or_another_disk_has_other_places()
    {
        IReadOnlyCollection<long> places = ReadBack.Places(Intent, "disk", 1 << 30, 20);
        Assert.NotEqual(places, ReadBack.Places(Sha256Digest.Compute("another"u8), "disk", 1 << 30, 20));
        Assert.NotEqual(places, ReadBack.Places(Intent, "other", 1 << 30, 20));
    }

    [Fact]
    public void What_is_there_is_told()
    {
        var disk = new byte[512 * 64];
        disk.AsSpan(512 * 7, 512).Fill(0xFF);
        disk[(512 * 40) + 511] = 1;
        string path = Path.Combine(folder.Path, "disk");
        File.WriteAllBytes(path, disk);
        ReadBackSample all = ReadBack.Sample(Intent, "disk", path, 1000, TestContext.Current.CancellationToken);
        Assert.Equal((64, 63, 0, 512, 512L * 64), (all.Sectors, all.Blank, all.Unreadable, all.SectorSize, all.Size));
        Assert.Equal(Sha256Digest.Compute(disk), all.Digest);

        ReadBackSample some = ReadBack.Sample(Intent, "disk", path, 10, TestContext.Current.CancellationToken);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long[] places = [.. ReadBack.Places(Intent, "disk", 64, 10)];
        foreach (long place in places)
            hash.AppendData(disk, (int)place * 512, 512);
        Assert.Equal(new Sha256Digest(hash.GetHashAndReset()), some.Digest);
        Assert.Equal(places.Contains(40) ? 9 : 10, some.Blank);
    }

    [Fact]
    public void What_is_no_disk_has_no_sample()
    {
        string path = Path.Combine(folder.Path, "small");
        File.WriteAllBytes(path, new byte[511]);
        Assert.Equal(ErrorCode.SourceUnsupported, Assert.Throws<EvidenceException>(() => ReadBack.Sample(Intent, "disk", path, cancellation: Stop)).Code);
        Assert.Equal(ErrorCode.SourceNotFound, Assert.Throws<EvidenceException>(() => ReadBack.Sample(Intent, "disk", path + "x", cancellation: Stop)).Code);
        Assert.Equal(ErrorCode.Usage, Assert.Throws<EvidenceException>(() => ReadBack.Sample(Intent, "disk", path, 0, Stop)).Code);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;
}
