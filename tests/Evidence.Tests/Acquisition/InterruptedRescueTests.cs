using Evidence.Acquisition;
using Evidence.Hashing;
using Evidence.Segments;
using Evidence.Tests.Sources;
using Evidence.Tests.Vaults;
using Evidence.Vaults;
using Xunit;

namespace Evidence.Tests.Acquisition;

/// <summary>A rescue that is stopped, and gone on with, gives what an unbroken one gives: every byte at its place.</summary>
public sealed class InterruptedRescueTests : IDisposable
{
    private readonly TestVault place = new();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public async Task What_was_rescued_before_stays_where_it_was_read(int steps)
    {
        using Vault vault = place.Create();
        byte[] content = TestBytes.Random(8 << 20, 1);
        long[] bad = [300, 301, 2000, 5000, 5001, 9000, 12_000];
        FailingSource Open() => new(content) { BadSectors = [.. bad], FailsWholeRequest = true, SuitableReadSize = 64 << 10 };

        AcquisitionResult? result = null;
        int interrupted = 0;
        for (; result is null; interrupted++)
        {
            Assert.True(interrupted < 2);
            using var stop = new CancellationTokenSource();
            int left = steps;
            try
            {
                using FailingSource source = Open();
                result = await new Acquirer(vault).AcquireAsync(source, progress: new Listener(p =>
                {
                    if (interrupted == 0 && p.Phase == AcquisitionPhase.Rescuing && --left == 0)
                        stop.Cancel();
                }), cancellation: stop.Token);
            }
            catch (OperationCanceledException)
            {
                // As intended: the next run goes on.
            }
        }

        Assert.Equal(2, interrupted);
        Assert.Equal(content.Length, result.Manifest.Size);
        byte[] expected = [.. content];
        foreach (long sector in bad)
            expected.AsSpan((int)sector * 512, 512).Clear();
        Assert.Equal(expected, await TestVault.ExportAsync(vault, result));
        using Vault other = place.Create(folder: place.At("unbroken"), origin: "vault.example/unbroken");
        using FailingSource unbroken = Open();
        AcquisitionResult whole = await new Acquirer(other).AcquireAsync(unbroken, cancellation: TestVault.Stop);
        Assert.Equal(whole.Manifest.Absent, result.Manifest.Absent);
        Assert.Equal(whole.Manifest.Root, result.Manifest.Root);
        Assert.Equal(whole.Manifest.Digests, result.Manifest.Digests);
    }

    [Fact]
    public void Pieces_that_overlap_one_another_or_what_the_page_has_never_move_what_follows()
    {
        using Vault vault = place.Create();
        using var reader = new SegmentReader(vault.Layout, vault.Index);
        var held = new HeldContent(reader, vault.Index);
        foreach ((long offset, long length) in (ReadOnlySpan<(long, long)>)[(0, 4096), (512, 512), (2048, 4096), (8192, 512), (65_024, 1024)])
            held.AddPiece(new MapRun(offset, length, RunKind.Data, 0, Sha256Digest.Compute(BitConverter.GetBytes(offset))));
        long end = 0;
        foreach (MapRun run in held.Runs(0, 65_536))
        {
            Assert.Equal(end, run.Offset);
            end = run.End;
        }

        Assert.Equal(65_536, end);
    }

    public void Dispose() => place.Dispose();

    private sealed class Listener(Action<AcquisitionProgress> report) : IProgress<AcquisitionProgress>
    {
        public void Report(AcquisitionProgress value) => report(value);
    }
}
