using System.Buffers.Binary;
using Evidence.Sources;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Evidence.Tests.Sources;

[Trait("Requirement", "SRC-1")]
public sealed class EncryptionSearchTests
{
    private const int MiB = 1 << 20;

    public static TheoryData<EncryptionScheme> Schemes => [.. Enum.GetValues<EncryptionScheme>()];

    [Theory]
    [MemberData(nameof(Schemes))]
    public void SRC_1_each_header_is_told_at_the_start(EncryptionScheme scheme)
    {
        byte[] disk = TestBytes.Random(MiB, 1);
        Put(disk, 0, scheme);
        Assert.Equal([new EncryptionSign(scheme, 0)], Find(disk).Signs);
    }

    [Theory]
    [MemberData(nameof(Schemes))]
    public void SRC_1_each_header_is_told_in_partitions(EncryptionScheme scheme)
    {
        var disk = new byte[4 * MiB];
        Disks.BootEntry(disk, 0, Disks.Linux, 2048, 2048, flag: 0x80);
        Disks.BootEntry(disk, 2, Disks.Linux, 4096, 2048);
        Put(disk, MiB, scheme);
        Put(disk, 2 * MiB, EncryptionScheme.Luks2);
        Assert.Equal([new EncryptionSign(scheme, MiB), new EncryptionSign(EncryptionScheme.Luks2, 2 * MiB)], Find(disk).Signs);
    }

    [Theory]
    [InlineData(512, null)]
    [InlineData(512, 512)]
    [InlineData(4096, null)]
    [InlineData(4096, 4096)]
    [InlineData(4096, 512)]
    public void SRC_1_a_GPT_of_either_sector_size_is_followed(int tableSize, int? sourceSize)
    {
        var disk = new byte[4 * MiB];
        Disks.GuidTable(disk, tableSize, (MiB / tableSize, (2 * MiB / tableSize) - 1), (3 * MiB / tableSize, (4 * MiB / tableSize) - 1));
        Put(disk, 3 * MiB, EncryptionScheme.BitLocker);
        Assert.Equal([new EncryptionSign(EncryptionScheme.BitLocker, 3 * MiB)], Find(disk, sourceSize).Signs);
    }

    [Theory]
    [InlineData(512, null)]
    [InlineData(4096, null)]
    [InlineData(4096, 4096)]
    public void SRC_1_logical_partitions_are_followed(int size, int? sourceSize)
    {
        var disk = new byte[8 * MiB];
        uint third = (uint)(MiB / size);
        Disks.BootEntry(disk, 1, 0x0F, third, 6 * third);
        // Each record names its own partition from itself on, and the next record from the extended partition on.
        Disks.BootEntry(disk.AsSpan(MiB), 0, Disks.Linux, 8, third - 8);
        Disks.BootEntry(disk.AsSpan(MiB), 1, 0x05, 3 * third, third);
        Disks.BootEntry(disk.AsSpan(4 * MiB), 0, Disks.Linux, 8, third - 8);
        Put(disk, MiB + (8 * size), EncryptionScheme.Luks1);
        Put(disk, (4 * MiB) + (8 * size), EncryptionScheme.Luks2);
        Assert.Equal(
            [new EncryptionSign(EncryptionScheme.Luks1, MiB + (8 * size)), new EncryptionSign(EncryptionScheme.Luks2, (4 * MiB) + (8 * size))],
            Find(disk, sourceSize).Signs);
    }

    [Fact]
    public void SRC_1_a_chain_that_runs_in_a_circle_ends()
    {
        var disk = new byte[4 * MiB];
        Disks.BootEntry(disk, 0, 0x05, 2048, 4096);
        Disks.BootEntry(disk.AsSpan(MiB), 1, 0x05, 2048, 1024);
        Disks.BootEntry(disk.AsSpan(2 * MiB), 1, 0x05, 1, 1024);
        var source = new FailingSource(disk);
        Assert.Empty(EncryptionSearch.Of(source).Signs);
        Assert.InRange(source.Requests.Count, 2, 10);
    }

    [Fact]
    public void SRC_1_a_long_chain_is_bounded()
    {
        var disk = new byte[2 * MiB];
        Disks.BootEntry(disk, 0, 0x05, 1, 4095);
        for (uint i = 1; i < 4095; i++)
        {
            Disks.BootEntry(disk.AsSpan((int)i * 512), 0, Disks.Linux, 1, 1);
            Disks.BootEntry(disk.AsSpan((int)i * 512), 1, 0x05, i, 1);
        }

        var source = new FailingSource(disk);
        EncryptionSearch.Of(source);
        Assert.InRange(source.Requests.Count, PartitionTable.MostLogical, (2 * PartitionTable.MostLogical) + 10);
    }

    [Fact]
    public void SRC_1_a_table_with_a_wrong_checksum_is_not_followed()
    {
        var good = new byte[2 * MiB];
        Disks.GuidTable(good, 512, (2048, 4095));
        Put(good, MiB, EncryptionScheme.Luks2);
        Assert.Single(Find(good).Signs);
        foreach (int at in (int[])[512, 512 + 12, 512 + 24, 512 + 72, 512 + 80, 512 + 88, 1024, 1024 + 33])
        {
            byte[] bad = [.. good];
            bad[at] ^= 0x01;
            Assert.Empty(Find(bad).Signs);
        }
    }

    [Fact]
    public void SRC_1_inside_what_is_encrypted_as_a_whole_nothing_is_looked_for()
    {
        var disk = new byte[2 * MiB];
        Disks.BootEntry(disk, 0, Disks.Linux, 2048, 2048);
        Put(disk, MiB, EncryptionScheme.Luks1);
        Put(disk, 0, EncryptionScheme.BitLocker);
        (disk[510], disk[511]) = (0x55, 0xAA);
        Assert.Equal([new EncryptionSign(EncryptionScheme.BitLocker, 0)], Find(disk).Signs);
    }

    [Fact]
    public void SRC_1_a_place_that_cannot_be_read_is_told_and_the_others_are_looked_at()
    {
        var disk = new byte[4 * MiB];
        Disks.BootEntry(disk, 0, Disks.Linux, 2048, 2048);
        Disks.BootEntry(disk, 1, Disks.Linux, 4096, 2048);
        Put(disk, 2 * MiB, EncryptionScheme.Luks2);
        EncryptionSearch search = EncryptionSearch.Of(new FailingSource(disk) { BadSectors = [2050] });
        Assert.Equal([new EncryptionSign(EncryptionScheme.Luks2, 2 * MiB)], search.Signs);
        Assert.Equal(MiB, Assert.Single(search.Unsearched).Offset);

        EncryptionSearch whole = EncryptionSearch.Of(new FailingSource(disk) { BadSectors = [0] });
        Assert.Empty(whole.Signs);
        Assert.Equal(0, Assert.Single(whole.Unsearched).Offset);
    }

    [Fact]
    public void SRC_1_a_stream_is_not_looked_at()
    {
        using var source = new StreamSource(new Unseekable(), "pipe");
        Assert.NotEmpty(EncryptionSearch.Of(source).Unsearched);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(511)]
    [InlineData(513)]
    public void SRC_1_a_short_source_has_no_sign(int length) => Assert.Empty(Find(new byte[length]).Signs);

    [Theory]
    [MemberData(nameof(Schemes))]
    public void SRC_1_a_header_that_is_not_whole_is_none(EncryptionScheme scheme)
    {
        var header = new byte[EncryptionSign.HeaderLength];
        Put(header, 0, scheme);
        foreach (int at in Enumerable.Range(0, header.Length).Where(i => header[i] != 0))
        {
            byte[] bad = [.. header];
            bad[at] ^= 0x80;
            // Of a key bag's place any value will do but none.
            if (scheme != EncryptionScheme.Apfs || at < 1296)
                Assert.Null(EncryptionSign.Tell(bad));
            bad[at] = 0;
            Assert.Null(EncryptionSign.Tell(bad));
        }
    }

    /// <summary>Noise and hostile tables: it always ends, within bounds, and sees no sign in noise.</summary>
    [Fact]
    public void SRC_1_noise_is_no_sign_and_hostile_tables_do_no_harm() => Prop.ForAll(
        Gen.Choose(0, int.MaxValue - 1).ToArbitrary(),
        seed =>
        {
            var random = new Random(seed);
            byte[] disk = TestBytes.Random(random.Next(1, 300_000), seed);
            for (int i = 0; disk.Length >= 512 && i < 4; i++)
                Disks.BootEntry(disk, i, (byte)(random.Next(3) == 0 ? 0x05 : random.Next(256)), (uint)random.Next(1, 700), (uint)random.Next(), (byte)(random.Next(2) * 0x80));
            if (disk.Length > 40_000 && random.Next(2) == 0)
                Disks.GuidTable(disk, 512, (random.Next(), random.NextInt64()), (random.NextInt64(), random.NextInt64()));
            var source = new FailingSource(disk);
            Assert.Empty(EncryptionSearch.Of(source).Signs);
            Assert.InRange(source.Requests.Count, 0, 1_500);
        }).QuickCheckThrowOnFailure();

    private static EncryptionSearch Find(byte[] disk, int? sectorSize = null) =>
        EncryptionSearch.Of(new StreamSource(new MemoryStream(disk), "disk", sectorSize: sectorSize));

    /// <summary>The least that makes a header, by the specifications that <see cref="EncryptionScheme"/> names.</summary>
    private static void Put(byte[] disk, int offset, EncryptionScheme scheme)
    {
        Span<byte> header = disk.AsSpan(offset);
        switch (scheme)
        {
            case EncryptionScheme.Luks1 or EncryptionScheme.Luks2:
                ((ReadOnlySpan<byte>)[0x4C, 0x55, 0x4B, 0x53, 0xBA, 0xBE, 0, (byte)(scheme == EncryptionScheme.Luks1 ? 1 : 2)]).CopyTo(header);
                break;
            case EncryptionScheme.BitLocker:
                "-FVE-FS-"u8.CopyTo(header[3..]);
                break;
            case EncryptionScheme.BitLockerToGo:
                "MSWIN4.1"u8.CopyTo(header[3..]);
                Convert.FromHexString("3BD66749292ED84A8399F6A339E3D001").CopyTo(header[424..]);
                break;
            case EncryptionScheme.CoreStorage:
                BinaryPrimitives.WriteUInt16LittleEndian(header[10..], 0x10);
                "CS"u8.CopyTo(header[88..]);
                BinaryPrimitives.WriteUInt32LittleEndian(header[172..], 2);
                break;
            case EncryptionScheme.Apfs:
                "NXSB"u8.CopyTo(header[32..]);
                BinaryPrimitives.WriteInt64LittleEndian(header[1296..], 77);
                BinaryPrimitives.WriteInt64LittleEndian(header[1304..], 1);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(scheme));
        }
    }

    private sealed class Unseekable : MemoryStream
    {
        public override bool CanSeek => false;
    }
}
