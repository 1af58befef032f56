using System.Text.Json.Nodes;
using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Platform;
using Evidence.Vaults;
using Xunit;

namespace Evidence.Tests.Vaults;

public sealed class VaultDocumentsTests : IDisposable
{
    private static readonly byte[] Order = TestBytes.Text(5000, 1);

    private static readonly Sha256Digest Digest = Sha256Digest.Compute(Order);

    private readonly TestVault place = new();

    public void Dispose() => place.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(5000)]
    [InlineData((1 << 20) - 1)]
    [InlineData((1 << 20) + 1)]
    [InlineData((3 << 20) + 7)]
    public async Task What_is_added_is_given_back_and_is_there_once(int length)
    {
        byte[] content = TestBytes.Random(length, length);
        using Vault vault = place.Create();
        Sha256Digest document = vault.Documents.Add(new MemoryStream(content));
        Assert.Equal(Sha256Digest.Compute(content), document);
        Assert.Equal(content, vault.Documents.TryRead(document, length));
        await using (Stream stream = vault.Documents.Open(document))
        {
            Assert.False(stream.CanWrite);
            Assert.Equal(content, await ReadAsync(stream));
        }

        string path = place.Layout.Document(document);
        Assert.EndsWith($"documents/{document.ToString()[..2]}/{document}", path, StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead, File.GetUnixFileMode(path));
        FileStatus before = FileStatus.TryGet(path)!.Value;
        string file = place.At("again");
        await File.WriteAllBytesAsync(file, content, TestVault.Stop);
        Assert.Equal(document, vault.Documents.AddFile(file));
        Assert.Equal(before, FileStatus.TryGet(path));
        Assert.Equal([document], vault.Documents.List());
        // No more than its bytes may be asked for.
        if (length > 0)
            Assert.Contains($"{length} bytes", Assert.Throws<FormatException>(() => vault.Documents.TryRead(document, length - 1)).Message, StringComparison.Ordinal);
        Assert.Equal("lock", Assert.Single(Directory.GetFileSystemEntries(place.Layout.Staging).Select(Path.GetFileName)));
    }

    [Fact]
    public void A_stream_is_read_from_where_it_is()
    {
        using Vault vault = place.Create();
        using var stream = new MemoryStream(Order) { Position = 100 };
        Assert.Equal(Sha256Digest.Compute(Order.AsSpan(100)), vault.Documents.Add(stream));
    }

    [Fact]
    public void What_is_not_there_is_told_as_that()
    {
        using Vault vault = place.Create();
        Assert.Null(vault.Documents.TryRead(Digest, 100));
        Assert.False(vault.Documents.Contains(Digest));
        Assert.Empty(vault.Documents.List());
        EvidenceException missing = Assert.Throws<EvidenceException>(() => vault.Documents.Open(Digest));
        Assert.Equal(ErrorCode.DocumentNotFound, missing.Code);
        Assert.Contains(Digest.ToString(), missing.Message, StringComparison.Ordinal);
    }

    /// <summary>Every bit of it.</summary>
    [Fact]
    public void A_damaged_document_is_never_given_out_and_the_right_file_takes_its_place()
    {
        using Vault vault = place.Create();
        vault.Documents.Add(new MemoryStream(Order));
        string path = place.Layout.Document(Digest);
        foreach (int offset in Enumerable.Range(0, 10).Select(n => n * 555).Append(Order.Length - 1))
        {
            TestVault.Flip(path, offset, offset % 8);
            Assert.Equal(ErrorCode.ContentRefuted, Assert.Throws<EvidenceException>(() => vault.Documents.Open(Digest)).Code);
            EvidenceException refuted = Assert.Throws<EvidenceException>(() => vault.Documents.TryRead(Digest, Order.Length));
            Assert.Contains(path, refuted.Message, StringComparison.Ordinal);
            Assert.Contains("evidence document add", refuted.Message, StringComparison.Ordinal);
            byte[] damaged = File.ReadAllBytes(path);
            int aside = Aside().Length;
            Assert.Equal(Digest, vault.Documents.Add(new MemoryStream(Order)));
            Assert.Equal(Order, vault.Documents.TryRead(Digest, Order.Length));
            Assert.Equal(aside + 1, Aside().Length);
            Assert.Contains(Aside(), kept => File.ReadAllBytes(kept).AsSpan().SequenceEqual(damaged));
        }

        string[] Aside() => Directory.Exists(place.Layout.Damaged) ? Directory.GetFiles(place.Layout.Damaged, $"{Digest}*.document") : [];
    }

    [Theory]
    [InlineData("link")]
    [InlineData("dangling")]
    [InlineData("folder")]
    public void What_is_no_file_in_its_place_is_not_followed_and_goes_aside(string what)
    {
        using Vault vault = place.Create();
        string path = place.Layout.Document(Digest);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        string elsewhere = place.At("elsewhere");
        File.WriteAllBytes(elsewhere, Order);
        if (what == "folder")
            Directory.CreateDirectory(path);
        else
            File.CreateSymbolicLink(path, what == "link" ? elsewhere : place.At("nothing"));
        Assert.Equal(ErrorCode.ContentRefuted, Assert.Throws<EvidenceException>(() => vault.Documents.Open(Digest)).Code);
        Assert.Equal(Digest, vault.Documents.Add(new MemoryStream(Order)));
        Assert.Null(new FileInfo(path).LinkTarget);
        Assert.Equal(Order, vault.Documents.TryRead(Digest, Order.Length));
        Assert.Equal(Order, File.ReadAllBytes(elsewhere));
    }

    [Fact]
    public void A_document_above_the_bound_is_refused_and_leaves_nothing()
    {
        using Vault vault = place.Create();
        Assert.Equal(1L << 30, VaultDocuments.LargestSize);
        EvidenceException refused = Assert.Throws<EvidenceException>(() => vault.Documents.Add(new LongStream((3 << 20) + 1), 3 << 20));
        Assert.Equal(ErrorCode.SourceUnsupported, refused.Code);
        Assert.Contains("more than 3145728 bytes", refused.Message, StringComparison.Ordinal);
        Assert.Empty(vault.Documents.List());
        Assert.Equal("lock", Assert.Single(Directory.GetFileSystemEntries(place.Layout.Staging).Select(Path.GetFileName)));
        Assert.True(vault.Documents.Contains(vault.Documents.Add(new LongStream(3 << 20), 3 << 20)));
    }

    [Fact]
    public void Memory_does_not_grow_with_a_document()
    {
        using Vault vault = place.Create();
        vault.Documents.Add(new LongStream(3 << 20));
        long before = GC.GetAllocatedBytesForCurrentThread();
        Sha256Digest document = vault.Documents.Add(new LongStream(64 << 20));
        vault.Documents.Open(document).Dispose();
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 << 20);
    }

    [Fact]
    public void A_source_that_fails_leaves_nothing_and_keeps_its_error()
    {
        using Vault vault = place.Create();
        using var failing = new LongStream(5 << 20) { FailsAt = 3 << 20 };
        Assert.Equal("gone", Assert.Throws<IOException>(() => vault.Documents.Add(failing)).Message);
        Assert.Empty(vault.Documents.List());
        Assert.Equal(ErrorCode.SourceNotFound, Assert.Throws<EvidenceException>(() => vault.Documents.AddFile(place.At("none"))).Code);
        Assert.Equal(ErrorCode.SourceUnsupported, Assert.Throws<EvidenceException>(() => vault.Documents.AddFile(place.At(""))).Code);
        Assert.Equal(ErrorCode.SourceUnsupported, Assert.Throws<EvidenceException>(() => vault.Documents.AddFile("/dev/zero")).Code);
    }

    [Fact]
    public void Leftovers_of_a_dead_run_are_removed_by_the_next()
    {
        using Vault vault = place.Create();
        string dead = Path.Combine(place.Layout.Staging, "w-0123456789abcdef");
        Directory.CreateDirectory(dead);
        File.WriteAllText(Path.Combine(dead, "document"), "half of one");
        vault.Documents.Add(new MemoryStream(Order));
        Assert.False(Directory.Exists(dead));
    }

    [Fact]
    public void Nothing_is_added_to_a_copy_or_a_replica()
    {
        place.Create().Dispose();
        TestVault.Copy(place.Folder, place.At("copy"));
        using (var copy = Vault.Open(place.At("copy"), place.Access))
            Assert.Equal(ErrorCode.VaultReadOnly, Assert.Throws<EvidenceException>(() => copy.Documents.Add(new MemoryStream(Order))).Code);
        File.WriteAllText(Path.Combine(place.At("copy"), "replica.json"), "{}");
        using var replica = Vault.Open(place.At("copy"), new VaultAccess());
        Assert.Equal(ErrorCode.VaultReadOnly, Assert.Throws<EvidenceException>(() => replica.Documents.Add(new MemoryStream(Order))).Code);
        Assert.False(Directory.Exists(new VaultLayout(place.At("copy")).Documents));
    }

    [Theory]
    [InlineData("document")]
    [InlineData("policy")]
    [InlineData("calendar")]
    public void An_entry_names_only_what_is_there(string field)
    {
        using Vault vault = place.Create();
        var body = new JsonObject { ["text"] = "see there", ["list"] = new JsonArray(new JsonObject { [field] = Digest.ToString() }) };
        long size = vault.Ledger.Open().Size;
        EvidenceException refused = Assert.Throws<EvidenceException>(() => vault.Ledger.Record(EntryKind.Note, [], null, body));
        Assert.Equal(ErrorCode.DocumentNotFound, refused.Code);
        Assert.Equal(size, vault.Ledger.Open().Size);
        vault.Documents.Add(new MemoryStream(Order));
        Assert.Equal(size, vault.Ledger.Record(EntryKind.Note, [], null, body));
        // What is no digest names nothing.
        vault.Ledger.Record(EntryKind.Note, [], null, new JsonObject { [field] = "1.2.3.4", ["other"] = Sha256Digest.Compute([9]).ToString() });
    }

    [Fact]
    public void What_waits_in_staging_names_only_what_is_there_too()
    {
        place.Create().Dispose();
        var other = new VaultAccess { Keys = new KeyStore(place.At("other-keys")), Actor = "other" };
        using var vault = Vault.Open(place.Folder, other);
        var body = new JsonObject { ["document"] = Digest.ToString() };
        Assert.Equal(ErrorCode.DocumentNotFound, Assert.Throws<EvidenceException>(() => vault.Ledger.Record(EntryKind.Note, [], null, body)).Code);
        vault.Documents.Add(new MemoryStream(Order));
        Assert.Null(vault.Ledger.Record(EntryKind.Note, [], null, body));
    }

    private static async Task<byte[]> ReadAsync(Stream stream)
    {
        using var all = new MemoryStream();
        await stream.CopyToAsync(all, TestVault.Stop);
        return all.ToArray();
    }

    /// <summary>As many bytes as wanted, of which none is kept.</summary>
    private sealed class LongStream(long length) : Stream
    {
        private long position;

        public long FailsAt { get; init; } = long.MaxValue;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            if (position >= FailsAt)
                throw new IOException("gone");
            int count = (int)Math.Min(buffer.Length, length - position);
            buffer[..count].Fill(unchecked((byte)(position >> 16)));
            position += count;
            return count;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
