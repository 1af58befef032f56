using Evidence.Acquisition;
using Evidence.Rescue;
using Evidence.Segments;
using Evidence.Sources;
using Evidence.Tests.Sources;
using Evidence.Tests.Vaults;
using Evidence.Vaults;
using Evidence.Verification;
using Xunit;

namespace Evidence.Tests.Acquisition;

/// <summary>What an acquisition asks of a source that fails, request by request.</summary>
[Trait("Requirement", "ACQ-5")]
public sealed class FailingAcquisitionTests : IDisposable
{
    private const int Length = 2 << 20;

    private readonly TestVault place = new();

    [Theory]
    [InlineData(new long[] { 0 })]
    [InlineData(new long[] { 0, 1, 2, 7, 16 })]
    [InlineData(new long[] { 100, 3000, 4095 })]
    public async Task ACQ_5_no_bad_sector_is_asked_for_more_than_twice(long[] bad)
    {
        using Vault vault = place.Create();
        using var source = new FailingSource(TestBytes.Random(Length, 1)) { BadSectors = [.. bad], FailsWholeRequest = true, SuitableReadSize = 64 << 10 };
        AcquisitionResult result = await new Acquirer(vault).AcquireAsync(source, cancellation: TestVault.Stop);
        Assert.Equal(bad.Length * 512, result.Manifest.Absent.Sum(range => range.Length));
        // Once in a large read, once by itself.
        Assert.All(bad, sector => Assert.InRange(source.Requests.Count(r => r.Offset <= sector * 512 && sector * 512 < r.End), 1, 2));
    }

    [Fact]
    public async Task ACQ_5_where_no_encryption_could_be_looked_for_the_manifest_says_so()
    {
        using Vault vault = place.Create();
        using var source = new FailingSource(TestBytes.Random(Length, 1)) { BadSectors = [3], FailsWholeRequest = true };
        AcquisitionResult result = await new Acquirer(vault).AcquireAsync(source, cancellation: TestVault.Stop);
        Assert.Equal(
            """[{"offset":"0","reason":"It could not be read."}]""",
            result.Manifest.Source["encryptionNotLookedAt"]!.ToJsonString());
    }

    [Fact]
    public async Task ACQ_5_a_second_pass_reads_each_missing_sector_and_samples_of_the_rest()
    {
        using Vault vault = place.Create();
        byte[] content = TestBytes.Random(8 << 20, 1);
        long[] bad = [5, 6, 7, .. Enumerable.Range(10_000, 100)];
        AcquisitionResult first;
        using (var source = new FailingSource(content) { BadSectors = [.. bad], FailsWholeRequest = true, SuitableReadSize = 64 << 10 })
            first = await new Acquirer(vault).AcquireAsync(source, cancellation: TestVault.Stop);

        using var healed = new FailingSource(content) { FailsWholeRequest = true, SuitableReadSize = 4096 };
        AcquisitionResult second = await new Acquirer(vault).AcquireAsync(healed, new AcquisitionOptions { Continues = first.Image }, cancellation: TestVault.Stop);
        Assert.True(second.Manifest.IsComplete);
        Assert.Equal(first.Image, second.Manifest.Continues);
        Assert.Equal((await TestVault.AcquireAsync(vault, content)).Manifest.Root, second.Manifest.Root);
        Assert.Equal(bad.Select(sector => (sector * 512, 512L)), healed.Requests.Where(r => r.Length == 512).Select(r => (r.Offset, r.Length)));
        // 256 samples before, to know the disk, and 256 after, to see whether it is still the same: a quarter of what reading all of it would take.
        Assert.True(healed.Requests.Count <= bad.Length + 512);
    }

    [Fact]
    [Trait("Requirement", "ACQ-8")]
    public async Task ACQ_8_a_source_that_gives_other_bytes_the_second_time_is_told()
    {
        using Vault vault = place.Create();
        using var source = new FickleSource(Length);
        AcquisitionResult result = await new Acquirer(vault).AcquireAsync(source, cancellation: TestVault.Stop);
        Assert.Equal("content", Assert.Single(result.Manifest.Differences).What);
        Assert.False(result.Manifest.IsComplete);
        VerificationReport report = await place.VerifyAsync(new VerificationOptions { Digests = true, Keys = place.Keys });
        Assert.Equal(ContentVerdict.Incomplete, report.Content);
        Assert.Equal("source", Assert.Single(Assert.Single(report.Images).Findings).What);
    }

    [Fact]
    public async Task ACQ_5_after_the_time_nothing_more_is_read()
    {
        using Vault vault = place.Create();
        using var source = new FailingSource(TestBytes.Random(Length, 1)) { SuitableReadSize = 64 << 10 };
        var options = new AcquisitionOptions { Rescue = new RescueOptions { TimeBudget = TimeSpan.FromTicks(1) } };
        AcquisitionResult result = await new Acquirer(vault).AcquireAsync(source, options, cancellation: TestVault.Stop);
        Assert.InRange(source.Requests.Count, 0, 1);
        AbsentRange unread = Assert.Single(result.Manifest.Absent);
        Assert.Equal((RunKind.Unread, "the time was over"), (unread.Kind, unread.Reason));
        Assert.Equal(Length, unread.Offset + unread.Length);
    }

    public void Dispose() => place.Dispose();

    /// <summary>A disk that gives other bytes each time.</summary>
    private sealed class FickleSource(int length) : Source
    {
        private int reads;

        public override SourceIdentity Identity { get; } = new() { Kind = SourceKind.File, Name = "/dev/fickle", Length = length };

        public override long? Length => length;

        protected override int ReadCore(long offset, Span<byte> buffer)
        {
            new Random(Interlocked.Increment(ref reads)).NextBytes(buffer);
            return buffer.Length;
        }
    }
}
