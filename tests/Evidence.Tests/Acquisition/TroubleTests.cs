using Evidence.Acquisition;
using Evidence.Segments;
using Evidence.Sources;
using Evidence.Tests.Sources;
using Evidence.Tests.Vaults;
using Evidence.Vaults;
using Evidence.Verification;
using Xunit;

namespace Evidence.Tests.Acquisition;

/// <summary>What goes wrong on the way: it fails alone, says so, and leaves a vault that verifies.</summary>
public sealed class TroubleTests : IDisposable
{
    private readonly TestVault place = new();

    [Theory]
    [InlineData(Compression.None)]
    [InlineData(Compression.Fast)]
    public async Task A_segment_that_rotted_since_is_noticed_before_new_evidence_rests_on_it(Compression compression)
    {
        byte[] content = TestBytes.Text(200_000, 1);
        using (Vault vault = place.Create(compression))
            await TestVault.AcquireAsync(vault, content);
        string pack = place.Layout.Pack(place.Layout.ListPacks()[0]);
        TestVault.Flip(pack, PackFormat.HeaderSize + PackFormat.RecordHeaderSize + 50, bit: 3);

        using Vault later = place.Open();
        EvidenceException error = await Assert.ThrowsAsync<EvidenceException>(() => TestVault.AcquireAsync(later, content));
        Assert.Equal(ErrorCode.ContentRefuted, error.Code);
        Assert.Contains(pack, error.Message, StringComparison.Ordinal);
        Assert.Single(later.Images());

        // The way out that the message gives: what was found damaged is stored anew.
        AcquisitionResult again = await TestVault.AcquireAsync(later, content);
        Assert.True(again.NewSegments > 0);
        using Stream image = later.OpenImage(again.Image).OpenRead();
        var bytes = new byte[content.Length];
        await image.ReadExactlyAsync(bytes, TestContext.Current.CancellationToken);
        Assert.Equal(content, bytes);
    }

    [Fact]
    [Trait("Requirement", "OUT-6")]
    public async Task A_cancelled_run_leaves_a_vault_that_verifies_and_no_image()
    {
        using (Vault vault = place.Create())
        {
            byte[] content = TestBytes.Random(40 << 20, 1);
            using var stop = new CancellationTokenSource();
            var progress = new Listener(p =>
            {
                if (p.Done > 8 << 20)
                    stop.Cancel();
            });
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new Acquirer(vault).AcquireAsync(
                new StreamSource(new MemoryStream(content), "memory"), progress: progress, cancellation: stop.Token));
            Assert.Empty(vault.Images());
            Assert.Equal(ContentVerdict.Verified, (await place.VerifyAsync()).Content);
            // The same vault goes on.
            await TestVault.AcquireAsync(vault, content[..1_000_000]);
        }

        Assert.Equal(ContentVerdict.Verified, (await place.VerifyAsync()).Content);
        Assert.DoesNotContain(Directory.EnumerateDirectories(place.Layout.Staging), d => Path.GetFileName(d).StartsWith("w-", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_a_dead_run_left_in_staging_is_removed_by_the_next()
    {
        using (Vault vault = place.Create())
            await TestVault.AcquireAsync(vault, [1, 2, 3]);
        string leftover = Path.Combine(place.Layout.Staging, "w-0123456789abcdef");
        Directory.CreateDirectory(leftover);
        await File.WriteAllTextAsync(Path.Combine(leftover, "1.pack"), "half a pack", TestVault.Stop);
        using (Vault vault = place.Open())
            await TestVault.AcquireAsync(vault, [4, 5, 6]);
        Assert.False(Directory.Exists(leftover));
    }

    [Fact]
    [Trait("Requirement", "ACQ-8")]
    [Trait("Requirement", "OUT-6")]
    public async Task A_source_that_becomes_shorter_gives_an_image_that_says_so()
    {
        using Vault vault = place.Create();
        byte[] content = TestBytes.Random(3_000_000, 1);
        using var shrinking = new FailingSource(content) { TruncatedLength = 1_000_000 };
        var acquirer = new Acquirer(vault);
        Task<AcquisitionResult> bad = acquirer.AcquireAsync(shrinking, cancellation: TestVault.Stop);
        Task<AcquisitionResult> good = TestVault.AcquireAsync(vault, content);
        AcquisitionResult cut = await bad;
        const int Whole = 1_000_000 / 512 * 512;
        Assert.Equal([new AbsentRange(RunKind.Unread, Whole, content.Length - Whole, "the source ended")], cut.Manifest.Absent);
        Assert.Equal("shorter", Assert.Single(cut.Manifest.Differences).What);
        Assert.False(cut.Manifest.IsComplete);
        byte[] left = [.. content[..Whole], .. new byte[content.Length - Whole]];
        Assert.Equal(left, await TestVault.ExportAsync(vault, cut));
        Assert.Equal(content, await TestVault.ExportAsync(vault, await good));
        VerificationReport report = await place.VerifyAsync(new VerificationOptions { Digests = true, Keys = place.Keys });
        Assert.Equal(ContentVerdict.Incomplete, report.Content);
        Assert.Equal(ContentVerdict.Verified, report.Images.Single(i => i.Image == good.Result.Image).Content);
    }

    [Fact]
    [Trait("Requirement", "ACQ-8")]
    [Trait("Requirement", "OUT-6")]
    [Trait("Requirement", "ACQ-7")]
    public async Task A_source_that_is_taken_away_gives_what_was_read_and_the_same_command_goes_on_when_it_is_back()
    {
        using Vault vault = place.Create();
        byte[] content = TestBytes.Random(20 << 20, 1);
        AcquisitionResult first;
        using (var source = new FailingSource(content) { VanishesAfter = 3 })
            first = await new Acquirer(vault).AcquireAsync(source, cancellation: TestVault.Stop);
        AbsentRange absent = Assert.Single(first.Manifest.Absent);
        Assert.Equal((RunKind.Unread, "the source was gone"), (absent.Kind, absent.Reason));
        Assert.True(absent.Offset > 0);
        Assert.Equal("gone", Assert.Single(first.Manifest.Differences).What);
        Assert.Equal(ContentVerdict.Incomplete, (await place.VerifyAsync()).Content);

        using var back = new FailingSource(content);
        AcquisitionResult second = await new Acquirer(vault).AcquireAsync(back, cancellation: TestVault.Stop);
        Assert.True(second.Manifest.IsComplete);
        Assert.Equal(first.Image, second.Manifest.Continues);
        Assert.Equal(absent.Offset, second.Manifest.Runs[^1].Held);
        Assert.Equal(content, await TestVault.ExportAsync(vault, second));
        Assert.Equal((await TestVault.AcquireAsync(vault, content)).Manifest.Root, second.Manifest.Root);
        Assert.Empty(Directory.EnumerateFiles(vault.Layout.Resume, "*.journal"));
    }

    [Fact]
    [Trait("Requirement", "ACQ-8")]
    [Trait("Requirement", "OUT-6")]
    public async Task A_source_that_is_gone_before_anything_was_read_is_no_image()
    {
        using Vault vault = place.Create();
        using var source = new FailingSource(TestBytes.Random(20 << 20, 1)) { VanishesAfter = 0 };
        EvidenceException error = await Assert.ThrowsAnyAsync<EvidenceException>(() => new Acquirer(vault).AcquireAsync(source, cancellation: TestVault.Stop));
        Assert.Equal(ErrorCode.SourceFailed, error.Code);
        Assert.Empty(vault.Images());
    }

    [Fact]
    public async Task An_error_of_the_listener_ends_the_run_and_nothing_else()
    {
        using Vault vault = place.Create();
        byte[] content = TestBytes.Random(10 << 20, 1);
        await Assert.ThrowsAsync<InvalidOperationException>(() => new Acquirer(vault).AcquireAsync(
            new StreamSource(new MemoryStream(content), "memory"), progress: new Listener(_ => throw new InvalidOperationException("listener")), cancellation: TestVault.Stop));
        Assert.Equal(content, await TestVault.ExportAsync(vault, await TestVault.AcquireAsync(vault, content)));
    }

    public void Dispose() => place.Dispose();

    private sealed class Listener(Action<AcquisitionProgress> report) : IProgress<AcquisitionProgress>
    {
        public void Report(AcquisitionProgress value) => report(value);
    }
}
