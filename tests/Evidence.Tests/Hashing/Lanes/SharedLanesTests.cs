using Evidence.Hashing;
using Evidence.Hashing.Lanes;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Evidence.Tests.Hashing.Lanes;

public sealed class SharedLanesTests
{
    private static readonly byte[] Noise = TestBytes.Random(1 << 18, 3);

    public static TheoryData<DigestAlgorithm> Algorithms => [.. Kernels.Functions.Select(f => f.Algorithm)];

    /// <summary>For each of up to 40 messages, the lengths of its parts.</summary>
    private static readonly Arbitrary<int[][]> Messages =
        Gen.Frequency((2, Gen.Choose(0, 130)), (2, Gen.Choose(0, 20).Select(n => n * 64)), (1, Gen.Choose(0, 20_000)))
            .ArrayOf().ArrayOf().Where(m => m.Length <= 40 && m.All(p => p.Length <= 10)).ToArbitrary();

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void Messages_that_come_from_many_places_at_once_have_each_its_own_digest(DigestAlgorithm algorithm) =>
        Prop.ForAll(Messages, Gen.Choose(1, 3).ToArbitrary(), (messages, threads) =>
        {
            using var content = new NativeBytes(Noise);
            var lanes = new SharedLanes(Kernels.Of(algorithm), threads);
            Task<bool>[] digests = [.. messages.Select((parts, i) => Task.Run(() => IsRightAsync(lanes, algorithm, content, i * 100, parts)))];
            return Task.WhenAll(digests).GetAwaiter().GetResult().All(right => right);
        }).QuickCheckThrowOnFailure();

    /// <summary>What asks for more as soon as it has its turn is there for the next: sixteen go side by side, not by turns.</summary>
    [Fact]
    public async Task All_that_go_on_at_once_are_taken_on_together()
    {
        const int Disks = 16;
        const int Parts = 50;
        using var content = new NativeBytes(Noise);
        var lanes = new SharedLanes(HashFunction.Md5, most: 1);
        var begun = new TaskCompletionSource();
        using var door = new ManualResetEventSlim();
        Task first = HoldAsync();
        await begun.Task;
        Task[] disks = [.. Enumerable.Range(0, Disks).Select(_ => AppendAllAsync())];
        door.Set();
        await Task.WhenAll([first, .. disks]);
        Assert.Equal(1 + Parts, lanes.Rounds);

        // The one thread that hashes stands still until all the others are there.
        async Task HoldAsync()
        {
            using RunningDigest digest = lanes.Begin();
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            await digest.AppendAsync(Part(content, 0, 64)).ConfigureAwait(false);
            begun.SetResult();
            door.Wait(TestContext.Current.CancellationToken);
        }

        async Task AppendAllAsync()
        {
            using RunningDigest digest = lanes.Begin();
            for (int part = 0; part < Parts; part++)
                await digest.AppendAsync(Part(content, part * 64, 64)).ConfigureAwait(false);
        }
    }

    private static async Task<bool> IsRightAsync(SharedLanes lanes, DigestAlgorithm algorithm, NativeBytes content, int start, int[] parts)
    {
        using RunningDigest digest = lanes.Begin();
        int length = 0;
        foreach (int part in parts)
        {
            await digest.AppendAsync(Part(content, start + length, part)).ConfigureAwait(false);
            length += part;
        }

        return digest.ToHex() == Convert.ToHexStringLower(Kernels.Expected(Kernels.Of(algorithm), Noise.AsSpan(start, length)));
    }

    private static unsafe LaneMessage Part(NativeBytes content, int start, int length) => new(content.Start + start, length);
}
