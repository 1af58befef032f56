using Evidence.DiscUtils.Files;
using Evidence.Files;
using Evidence.Interop.Tests.FileSystems;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Evidence.DiscUtils.Tests.Files;

/// <summary>File systems that are broken: what is found in them is found, and the rest is an error of the library's own kind.</summary>
public sealed class HostileImageTests : IDisposable
{
    private readonly World world = new();

    [Theory]
    [InlineData("ext4")]
    [InlineData("ntfs")]
    [InlineData("vfat")]
    [InlineData("xfs")]
    public void Mutants_break_nothing(string kind)
    {
        const int Mutants = 300;
        byte[] bytes = File.ReadAllBytes(FileSystemImage.Make(kind, world.Folder));
        // Where there is something in the first blocks, which have the file system's own tables in them.
        int[] interesting = [.. Enumerable.Range(0, bytes.Length).Where(at => bytes[at] != 0 && (at < 8192 || at % 4096 < 512)).Take(200_000)];
        int listed = 0;
        for (int seed = 0; seed < Mutants; seed++)
        {
            var random = new Random(seed);
            var changed = new Stack<(int At, byte Was)>();
            for (int i = random.Next(1, 30); i > 0; i--)
            {
                int at = interesting[random.Next(interesting.Length)];
                changed.Push((at, bytes[at]));
                bytes[at] = (byte)random.Next(256);
            }

            using DiscUtilsReader reader = Open(bytes);
            List<ImageFile> files = [];
            try
            {
                files.AddRange(reader.Walk(TestContext.Current.CancellationToken));
                listed += files.Count;
            }
            catch (EvidenceException e)
            {
                Assert.Equal(ErrorCode.FileRefused, e.Code);
            }

            foreach (ImageFile file in files.Where(file => !file.IsFolder && file.Length < bytes.Length))
            {
                try
                {
                    ImageFile located = reader.Locate(file, TestContext.Current.CancellationToken);
                    reader.Read(located, content => content.CopyTo(Stream.Null), TestContext.Current.CancellationToken);
                }
                catch (EvidenceException e)
                {
                    Assert.Equal(ErrorCode.FileRefused, e.Code);
                }
            }

            while (changed.TryPop(out (int At, byte Was) change))
                bytes[change.At] = change.Was;
        }

        Assert.NotEqual(0, listed);
    }

    /// <summary>Of an attribute of no length DiscUtils makes as many as there is memory for.</summary>
    [Fact]
    public void A_record_of_ntfs_without_an_end_takes_no_memory()
    {
        byte[] bytes = File.ReadAllBytes(FileSystemImage.Make("ntfs", world.Folder));
        long before = GC.GetTotalAllocatedBytes();
        for (int at = 0; at + 1024 <= bytes.Length; at += 1024)
        {
            if (bytes.AsSpan(at).StartsWith("FILE"u8))
                bytes.AsSpan(at + bytes[at + 20] + 4, 4).Clear();
        }

        using DiscUtilsReader reader = Open(bytes);
        Assert.Equal(ErrorCode.FileRefused, Assert.Throws<EvidenceException>(() => reader.Walk(TestContext.Current.CancellationToken).Count()).Code);
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 64 << 20);
    }

    /// <summary>A tree of extents that leads back into itself is read by DiscUtils until the stack is full.</summary>
    [Fact]
    public void A_tree_that_is_its_own_branch_does_not_end_the_process()
    {
        byte[] bytes = File.ReadAllBytes(FileSystemImage.Make("ext4", world.Folder));
        // Every extent in an inode becomes the branch to a block that holds the same.
        int block = bytes.Length - 4096;
        byte[] header = [0x0A, 0xF3, 1, 0, 4, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, .. BitConverter.GetBytes(block / BlockSize(bytes)), 0, 0, 0, 0];
        header.CopyTo(bytes, block);
        for (int at = 0; at + 60 < block; at += 4)
        {
            if (bytes.AsSpan(at).StartsWith((ReadOnlySpan<byte>)[0x0A, 0xF3, 1, 0, 4, 0, 0, 0]))
                header.CopyTo(bytes, at);
        }

        using DiscUtilsReader reader = Open(bytes);
        EvidenceException? error = null;
        int files = 0;
        try
        {
            files = reader.Walk(TestContext.Current.CancellationToken).Count();
        }
        catch (EvidenceException e)
        {
            error = e;
        }

        Assert.True(error is not null || files == 0, "nothing was broken");
    }

    public void Dispose() => world.Dispose();

    private static DiscUtilsReader Open(byte[] bytes) => new(
        new ImageStream(
            (offset, destination) =>
            {
                int count = (int)Math.Clamp(bytes.Length - offset, 0, destination.Length);
                bytes.AsSpan((int)offset, count).CopyTo(destination);
                return count;
            },
            bytes.Length),
        "mutant", NullLogger.Instance);

    private static int BlockSize(byte[] bytes) => 1024 << bytes[1024 + 24];
}
