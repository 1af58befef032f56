using System.Runtime.InteropServices;
using Evidence.Sources;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Evidence.Tests.Sources;

/// <summary>Reads past the page cache, of files of any length into memory of any alignment.</summary>
public sealed class DirectReadTests : IDisposable
{
    private static readonly SourceOptions Direct = new() { DirectIO = true };

    private readonly TemporaryDirectory directory = new();

    public static TheoryData<int> Lengths => SourceAssert.Lengths;

    public void Dispose() => directory.Dispose();

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Reads_every_byte_and_no_other(int length)
    {
        byte[] content = TemporaryDirectory.Content(length);
        using Source source = Open(directory.Write("disk.img", content));
        SourceAssert.Reads(content, source);
        Assert.True(source.IsDirect);
        source.EnsureUnchanged();
    }

    [Fact]
    public unsafe void Whatever_is_asked_for_into_whatever_memory_is_what_is_there()
    {
        byte[] content = TestBytes.Random((3 << 20) + 777, 1);
        using Source source = Open(directory.Write("disk.img", content));
        byte* memory = (byte*)NativeMemory.AlignedAlloc(4 << 20, 4096);
        try
        {
            Gen<int> offsets = Gen.OneOf(Gen.Choose(0, content.Length), Gen.Choose(0, content.Length / 512).Select(s => s * 512));
            Gen<int> lengths = Gen.OneOf(Gen.Choose(0, 5000), Gen.Choose(0, 3 << 20), Gen.Choose(0, 6000).Select(s => s * 512));
            Prop.ForAll(offsets.Zip(lengths).Zip(Gen.Elements(0, 0, 512, 4096, 1, 511)).ToArbitrary(), random =>
            {
                ((int offset, int length), int misalignment) = random;
                var buffer = new Span<byte>(memory + misalignment, Math.Min(length, 3 << 20) + 1);
                buffer.Fill(0xEE);
                int expected = Math.Min(buffer.Length - 1, content.Length - offset);
                Assert.Equal(expected, source.Read(offset, buffer[..^1]));
                Assert.True(content.AsSpan(offset, expected).SequenceEqual(buffer[..expected]));
                Assert.Equal(0xEE, buffer[expected]);
            }).QuickCheckThrowOnFailure();
            Assert.True(source.IsDirect);
        }
        finally
        {
            NativeMemory.AlignedFree(memory);
        }
    }

    [Fact]
    public void The_parts_of_a_split_image_are_read_directly_too()
    {
        byte[] content = TestBytes.Random(30_000, 1);
        for (int i = 0; i < 3; i++)
            directory.Write($"disk.00{i + 1}", content.AsSpan(i * 10_000, 10_000).ToArray());
        using Source source = Open(directory.At("disk.001"));
        SourceAssert.Reads(content, source);
        Assert.True(source.IsDirect);
    }

    [Fact]
    public void Leaves_the_access_time_as_it_was()
    {
        string path = directory.Write("disk.img", TestBytes.Random(100_000, 1));
        File.SetLastAccessTimeUtc(path, new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        using (Source source = Open(path))
            Assert.Equal(100_000, source.Read(0, new byte[100_001]));
        Assert.Equal(new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc), File.GetLastAccessTimeUtc(path));
    }

    [Fact]
    public void A_file_begins_with_the_page_cache()
    {
        string path = directory.Write("disk.img", new byte[10_000]);
        using Source file = Source.Open(path);
        Assert.Equal(10_000, file.Read(0, new byte[10_000]));
        Assert.Equal((false, Environment.SystemPageSize, 4 << 20), (file.IsDirect, file.ErrorGranularity, file.PreferredReadSize));
        using Source direct = Open(path);
        Assert.Equal((true, 128 << 10), (direct.IsDirect, direct.PreferredReadSize));
        Assert.True(direct.ErrorGranularity is 512 or 4096);
    }

    [Fact]
    public void Where_the_file_system_has_no_direct_reads_the_page_cache_serves_and_the_source_says_so()
    {
        // procfs has none; and what it shows is a regular file of length 0.
        using Source source = Source.Open("/proc/version", Direct);
        Assert.Equal((false, Environment.SystemPageSize), (source.IsDirect, source.ErrorGranularity));
        Assert.Equal(0, source.Read(0, new byte[100]));
    }

    [Fact]
    public void Many_threads_may_read_at_once()
    {
        byte[] content = TestBytes.Random(1 << 20, 1);
        using Source source = Open(directory.Write("disk.img", content));
        Parallel.For(0, 400, i =>
        {
            var buffer = new byte[5_000];
            int offset = (i * 7919) % (content.Length - buffer.Length);
            Assert.Equal(buffer.Length, source.Read(offset, buffer));
            Assert.True(content.AsSpan(offset, buffer.Length).SequenceEqual(buffer));
        });
    }

    /// <summary>The temporary directory of most systems is on a disk; where it is in memory, an older kernel grants no direct reads.</summary>
    private static Source Open(string path)
    {
        Source source = Source.Open(path, Direct);
        if (source.IsDirect)
            return source;
        source.Dispose();
        Assert.Skip("The file system of the temporary directory has no direct reads.");
        throw new InvalidOperationException();
    }
}
