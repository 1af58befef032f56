using System.Security.Cryptography;
using Evidence.Sources;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Evidence.Tests.Sources;

public sealed class RawFileTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public static TheoryData<int> Lengths => SourceAssert.Lengths;

    public void Dispose() => directory.Dispose();

    [Theory]
    [MemberData(nameof(Lengths))]
    [Trait("Requirement", "ACQ-3")]
    public void Reads_every_byte_and_no_other(int length)
    {
        byte[] content = TemporaryDirectory.Content(length);
        using RawFile source = RawFile.Open(directory.Write("disk.img", content));
        SourceAssert.Reads(content, source);
        SourceAssert.Tile(source);
        source.EnsureUnchanged();
    }

    [Fact]
    public void Tells_what_it_is()
    {
        string path = directory.Write("disk.img", new byte[4097]);
        using Source source = Source.Open(path, new SourceOptions { SectorSize = 4096 });
        Assert.IsType<RawFile>(source);
        Assert.Equal(SourceKind.File, source.Identity.Kind);
        Assert.Equal(path, source.Identity.Name);
        Assert.Equal(4097, source.Identity.Length);
        Assert.Equal(4096, source.SectorSize);
        Assert.Equal(File.GetLastWriteTimeUtc(path), source.Identity.Modified!.Value.ToDateTimeUtc());
        Assert.NotNull(source.Identity.Inode);
        Assert.False(source.Identity.IsLive);
        Assert.False(source.IsSequential);
    }

    [Fact]
    [Trait("Requirement", "ACQ-2")]
    public void Leaves_the_file_as_it_was()
    {
        string path = directory.Write("disk.img", TemporaryDirectory.Content(100_000));
        // An access time before the last write is one that relatime would update at the next read.
        File.SetLastAccessTimeUtc(path, new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        DateTime written = File.GetLastWriteTimeUtc(path);
        DateTime accessed = File.GetLastAccessTimeUtc(path);
        using (Source source = Source.Open(path))
        {
            _ = source.Extents().Count();
            Assert.Equal(100_000, source.Read(0, new byte[200_000]));
        }

        Assert.Equal(accessed, File.GetLastAccessTimeUtc(path));
        Assert.Equal(written, File.GetLastWriteTimeUtc(path));
        Assert.Equal(SHA256.HashData(TemporaryDirectory.Content(100_000)), SHA256.HashData(File.ReadAllBytes(path)));
    }

    [Fact]
    public void Takes_no_lock_on_the_file()
    {
        string path = directory.Write("disk.img", new byte[10]);
        using RawFile source = RawFile.Open(path);
        using var writer = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        Assert.Equal(10, writer.Length);
    }

    [Fact]
    public void A_sparse_file_has_its_holes_where_they_are()
    {
        const int Unit = 1 << 20;
        string path = directory.At("sparse.img");
        using (var file = new FileStream(path, FileMode.CreateNew))
        {
            file.SetLength(5 * Unit);
            file.Position = Unit;
            file.Write(TemporaryDirectory.Content(Unit));
            file.Position = 3 * Unit;
            file.Write(TemporaryDirectory.Content(Unit));
            file.Flush(flushToDisk: true);
        }

        using RawFile source = RawFile.Open(path);
        IReadOnlyList<SourceExtent> extents = SourceAssert.Tile(source);
        Assert.SkipWhen(extents is [{ Kind: SourceExtentKind.Data }], "The file system of the temporary directory keeps no holes.");
        Assert.Equal(
            [
                new(0, Unit, SourceExtentKind.Hole),
                new(Unit, Unit, SourceExtentKind.Data),
                new(2 * Unit, Unit, SourceExtentKind.Hole),
                new(3 * Unit, Unit, SourceExtentKind.Data),
                new(4 * Unit, Unit, SourceExtentKind.Hole),
            ],
            extents);
    }

    [Fact]
    public void Whatever_is_written_where_the_extents_tile_the_file_and_holes_read_as_zeros()
    {
        Gen<(int Offset, int Length)> write = Gen.Choose(0, 400_000).Zip(Gen.Choose(1, 20_000), (offset, length) => (offset, length));
        Prop.ForAll(write.ListOf().Zip(Gen.Choose(0, 450_000), (writes, length) => (Writes: writes, Length: length)).ToArbitrary(), random =>
        {
            string path = directory.At("random.img");
            var expected = new byte[random.Length];
            using (var file = new FileStream(path, FileMode.Create))
            {
                foreach ((int offset, int length) in random.Writes)
                {
                    byte[] content = TemporaryDirectory.Content(length);
                    file.Position = offset;
                    file.Write(content);
                    content.AsSpan(0, Math.Clamp(random.Length - offset, 0, length)).CopyTo(expected.AsSpan(Math.Min(offset, random.Length)));
                }

                file.SetLength(random.Length);
            }

            using RawFile source = RawFile.Open(path);
            foreach (SourceExtent hole in SourceAssert.Tile(source).Where(extent => extent.Kind == SourceExtentKind.Hole))
                Assert.False(expected.AsSpan((int)hole.Offset, (int)hole.Length).ContainsAnyExcept((byte)0));
            var read = new byte[random.Length];
            Assert.Equal(random.Length, source.Read(0, read));
            Assert.Equal(expected, read);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    [Trait("Requirement", "ACQ-8")]
    public void A_file_cut_short_while_open_is_a_changed_source()
    {
        string path = directory.Write("disk.img", TemporaryDirectory.Content(10_000));
        using RawFile source = RawFile.Open(path);
        using (var writer = new FileStream(path, FileMode.Open))
            writer.SetLength(5_000);

        var buffer = new byte[10_000];
        SourceChangedException error = Assert.Throws<SourceChangedException>(() => source.Read(0, buffer));
        Assert.Equal((ErrorCode.SourceFailed, SourceChange.Shorter, 10_000), (error.Code, error.Change, error.ExpectedLength));
        error = Assert.Throws<SourceChangedException>(source.EnsureUnchanged);
        Assert.Equal((SourceChange.Shorter, 5_000), (error.Change, error.ActualLength));
    }

    [Fact]
    [Trait("Requirement", "ACQ-8")]
    public void A_file_that_grows_or_is_written_to_is_a_changed_source()
    {
        string path = directory.Write("disk.img", new byte[100]);
        File.SetLastWriteTimeUtc(path, new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        using RawFile source = RawFile.Open(path);
        using (var writer = new FileStream(path, FileMode.Open))
            writer.WriteByte(1);
        Assert.Equal(SourceChange.Modified, Assert.Throws<SourceChangedException>(source.EnsureUnchanged).Change);
        File.AppendAllText(path, "more");
        Assert.Equal(SourceChange.Longer, Assert.Throws<SourceChangedException>(source.EnsureUnchanged).Change);
        Assert.Equal(100, source.Read(0, new byte[200]));
    }

    [Fact]
    public void A_disposed_source_says_so()
    {
        RawFile source = RawFile.Open(directory.Write("disk.img", new byte[100]));
        source.Dispose();
        Assert.Throws<ObjectDisposedException>(() => source.Read(0, new byte[1]));
    }
}
