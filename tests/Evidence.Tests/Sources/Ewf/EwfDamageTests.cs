using System.Buffers.Binary;
using Evidence.Acquisition;
using Evidence.Segments;
using Evidence.Sources;
using Evidence.Sources.Ewf;
using Evidence.Tests.Vaults;
using Evidence.Vaults;
using Evidence.Verification;
using Xunit;

namespace Evidence.Tests.Sources.Ewf;

public sealed class EwfDamageTests : IDisposable
{
    private const int Chunk = 32_768;

    private readonly TestVault vault = new();
    private readonly Vault open;

    public EwfDamageTests() => open = vault.Create();

    [Fact]
    public async Task A_damaged_chunk_is_an_unreadable_range_at_its_place_and_the_import_does_not_match()
    {
        (byte[] content, string path) = await MakeAsync();
        byte[] file = await File.ReadAllBytesAsync(path, TestVault.Stop);
        int place = E01.Content(file, "sectors") + (2 * (Chunk + 4)) + 100;
        TestVault.Flip(path, place);
        AcquisitionResult result = await ImportAsync(path);
        AbsentRange absent = Assert.Single(result.Manifest.Absent);
        Assert.Equal((RunKind.Unreadable, 2L * Chunk, (long)Chunk), (absent.Kind, absent.Offset, absent.Length));
        Assert.Contains("checksum", absent.Reason, StringComparison.Ordinal);
        ContainerFinding finding = Assert.Single(result.Manifest.Container!.Findings);
        Assert.Equal(("chunk", "disk.E01", place - 100L), (finding.What, finding.File, finding.Offset));
        Assert.Equal(StoredDigestsVerdict.Mismatch, result.Manifest.Container.Verdict);
        content.AsSpan(2 * Chunk, Chunk).Clear();
        Assert.Equal(content, await TestVault.ExportAsync(open, result));
        Assert.Equal(ContentVerdict.Refuted, (await vault.VerifyAsync()).Content);
    }

    /// <summary>A flip in each checksum, or in what it is over.</summary>
    [Theory]
    [InlineData("table", 24, "checksum", 24)]
    [InlineData("table2", 24, "checksum", 24)]
    [InlineData("table", 0, "checksum", 0)]
    [InlineData("table2", 20, "checksum", 0)]
    [InlineData("table", -76 + 40, "checksum", -76)]
    [InlineData("digest", 40, "checksum", 0)]
    [InlineData("hash", 20, "checksum", 0)]
    [InlineData("evidence", 3, "checksum", 0)]
    [InlineData("data", 100, "checksum", -76)]
    [InlineData("header2", 10, "header", -76)]
    [InlineData("done", -76 + 40, "checksum", -76)]
    public async Task A_checksum_that_fails_is_a_finding_with_its_place_and_no_byte_is_lost(string section, int at, string what, int told)
    {
        (byte[] content, string path) = await MakeAsync();
        byte[] file = await File.ReadAllBytesAsync(path, TestVault.Stop);
        int start = E01.Content(file, section);
        TestVault.Flip(path, start + at, bit: 6);
        AcquisitionResult result = await ImportAsync(path);
        ContainerFinding finding = Assert.Single(result.Manifest.Container!.Findings);
        Assert.Equal((what, "disk.E01", (long)start + told), (finding.What, finding.File, finding.Offset));
        Assert.Equal(content, await TestVault.ExportAsync(open, result));
        Assert.Equal(StoredDigestsVerdict.Match, result.Manifest.Container.Verdict);
    }

    [Fact]
    public async Task Two_tables_that_differ_with_right_checksums_are_told_and_neither_is_believed()
    {
        (byte[] content, string path) = await MakeAsync();
        byte[] file = await File.ReadAllBytesAsync(path, TestVault.Stop);
        List<(long Offset, EwfSection Section)> sections = E01.Sections(file);
        // The third entry of table2 takes the place of the second: both chunks have right checksums of their own.
        int entries = E01.Content(file, "table2") + 24;
        file.AsSpan(entries + 4, 4).CopyTo(file.AsSpan(entries + 8));
        E01.Seal(file, sections);
        await File.WriteAllBytesAsync(path, file, TestVault.Stop);
        AcquisitionResult result = await ImportAsync(path);
        Assert.Contains(result.Manifest.Container!.Findings, f => f is { What: "table", File: "disk.E01" } && f.Offset == entries - 24);
        Assert.Equal((Chunk, 2L * Chunk), (result.Manifest.Absent[0].Offset, result.Manifest.Absent.Sum(a => a.Length)));
        content.AsSpan(Chunk, 2 * Chunk).Clear();
        Assert.Equal(content, await TestVault.ExportAsync(open, result));
    }

    [Fact]
    public async Task No_stored_digest_is_unverifiable_and_never_a_success()
    {
        (_, string path) = await MakeAsync();
        await ChangeAsync(path, file =>
        {
            file.AsSpan(E01.Content(file, "digest"), 36).Clear();
            file.AsSpan(E01.Content(file, "hash"), 16).Clear();
            // Of the remarks only the first line stays as it is.
            file.AsSpan(E01.Content(file, "evidence") + 15).Slice(0, 6).Fill((byte)'x');
            int sha256 = file.AsSpan().IndexOf("sha256 "u8);
            file[sha256] = (byte)'x';
        });
        AcquisitionResult result = await ImportAsync(path);
        Assert.Equal(StoredDigestsVerdict.None, result.Manifest.Container!.Verdict);
        VerificationReport report = await vault.VerifyAsync();
        Assert.Equal(ContentVerdict.Unverifiable, report.Content);
        Assert.Contains(report.Images.SelectMany(i => i.Findings), f => f.What == "container");
    }

    [Fact]
    public async Task A_stored_digest_of_other_bytes_is_a_mismatch_that_is_kept()
    {
        (byte[] content, string path) = await MakeAsync();
        await ChangeAsync(path, file => file[E01.Content(file, "digest")] ^= 1);
        AcquisitionResult result = await ImportAsync(path);
        Assert.Equal(StoredDigestsVerdict.Mismatch, result.Manifest.Container!.Verdict);
        // The two places where the MD5 is stored do not agree either.
        Assert.Equal("digest", Assert.Single(result.Manifest.Container.Findings).What);
        Assert.Equal(content, await TestVault.ExportAsync(open, result));
    }

    [Fact]
    public async Task Bytes_where_a_bad_sector_is_are_not_taken_and_the_stored_digest_is_still_judged()
    {
        (byte[] content, string path) = await MakeAsync();
        // Bad sectors whose bytes are not zeros: an error2 section is put in before the digest.
        byte[] file = await File.ReadAllBytesAsync(path, TestVault.Stop);
        int at = E01.Find(file, "digest");
        var section = new byte[76 + 520 + 8 + 4];
        new EwfSection("error2", at + section.Length, section.Length).Encode(section);
        BinaryPrimitives.WriteInt32LittleEndian(section.AsSpan(76), 1);
        BinaryPrimitives.WriteInt32LittleEndian(section.AsSpan(76 + 520), 70);
        BinaryPrimitives.WriteInt32LittleEndian(section.AsSpan(76 + 524), 3);
        byte[] longer = [.. file[..at], .. section, .. file[at..]];
        foreach ((long offset, EwfSection old) in E01.Sections(file).Where(s => s.Offset >= at))
            (old with { Next = old.Next + section.Length }).Encode(longer.AsSpan((int)offset + section.Length));
        E01.Seal(longer, E01.Sections(longer));
        await File.WriteAllBytesAsync(path, longer, TestVault.Stop);
        AcquisitionResult result = await ImportAsync(path);
        Assert.Equal(new AbsentRange(RunKind.Unreadable, 70 * 512, 3 * 512, "a bad sector by the E01"), Assert.Single(result.Manifest.Absent));
        Assert.All(result.Manifest.Container!.Digests.Where(d => d.Algorithm != "sha256"), d => Assert.False(d.IsOfImage));
        Assert.All(result.Manifest.Container.Digests.Where(d => d.Algorithm != "sha256"), d => Assert.Equal(d.Stored, d.Computed));
        content.AsSpan(70 * 512, 3 * 512).Clear();
        Assert.Equal(content, await TestVault.ExportAsync(open, result));
    }

    [Theory]
    [InlineData("missing")]
    [InlineData("swapped")]
    [InlineData("cut")]
    [InlineData("backwards")]
    [InlineData("foreign")]
    public async Task What_leaves_no_order_of_chunks_is_refused_with_its_place(string how)
    {
        (_, string path) = await MakeAsync(3 << 20, split: 1 << 20);
        string second = Path.ChangeExtension(path, ".E02");
        string third = Path.ChangeExtension(path, ".E03");
        string named = second;
        switch (how)
        {
            case "missing":
                File.Delete(second);
                break;
            case "swapped":
                File.Move(second, third + "x");
                File.Move(third, second);
                File.Move(third + "x", third);
                break;
            case "cut":
                byte[] bytes = await File.ReadAllBytesAsync(second, TestVault.Stop);
                await File.WriteAllBytesAsync(second, bytes[..^40], TestVault.Stop);
                break;
            case "backwards":
                await ChangeAsync(second, file => BinaryPrimitives.WriteInt64LittleEndian(file.AsSpan(E01.Find(file, "table") + 16), 13));
                break;
            default:
                await File.WriteAllTextAsync(second, "not a segment at all", TestVault.Stop);
                break;
        }

        EvidenceException refused = Assert.Throws<EvidenceException>(() => Source.Open(path));
        Assert.Equal(ErrorCode.SourceUnsupported, refused.Code);
        Assert.Contains(named, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task As_a_single_file_it_is_what_it_is_byte_for_byte()
    {
        (_, string path) = await MakeAsync();
        using Source source = Source.Open(path, new SourceOptions { SingleFile = true });
        Assert.Equal(new FileInfo(path).Length, source.Length);
        using Source disk = Source.Open(path);
        Assert.IsType<EwfSource>(disk);
    }

    public void Dispose()
    {
        open.Dispose();
        vault.Dispose();
    }

    private static async Task ChangeAsync(string path, Action<byte[]> change)
    {
        byte[] file = await File.ReadAllBytesAsync(path, TestVault.Stop);
        List<(long Offset, EwfSection Section)> sections = E01.Sections(file);
        change(file);
        E01.Seal(file, sections);
        await File.WriteAllBytesAsync(path, file, TestVault.Stop);
    }

    private async Task<(byte[] Content, string Path)> MakeAsync(int length = 6 * Chunk, long split = 1 << 30)
    {
        byte[] content = TestBytes.Random(length, 9);
        var (export, _) = await E01.MakeAsync(vault, open, content, "disk", new Evidence.Formats.Ewf.EwfExportOptions { Compression = Compression.None, SegmentSize = split });
        return (content, export.Files[0]);
    }

    private async Task<AcquisitionResult> ImportAsync(string path)
    {
        using Source source = Source.Open(path);
        return await new Acquirer(open).AcquireAsync(source, new AcquisitionOptions { Item = "import" }, cancellation: TestVault.Stop);
    }
}
