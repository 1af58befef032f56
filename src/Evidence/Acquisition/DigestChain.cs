using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using Evidence.Hashing;
using Evidence.Hashing.Lanes;
using Evidence.Vaults;

namespace Evidence.Acquisition;

/// <summary>One digest of the whole image: a chain that is serial by nature, on a worker of its own, or in lanes with those of images made at the same time.</summary>
internal sealed class DigestChain
{
    private static readonly byte[] Zeros = GC.AllocateArray<byte>(1 << 20, pinned: true);

    private readonly DigestAlgorithm algorithm;
    private readonly SideBySide others;
    private readonly Channel<SourceItem> items = Channel.CreateUnbounded<SourceItem>(new() { SingleReader = true, SingleWriter = true });

    internal DigestChain(DigestAlgorithm algorithm, SideBySide others)
    {
        this.algorithm = algorithm;
        this.others = others;
    }

    internal ChannelWriter<SourceItem> Input => items.Writer;

    /// <summary>The digest; null where part of the image comes only later, so that there is none yet.</summary>
    internal async Task<ImageDigest?> RunAsync(CancellationToken cancellation)
    {
        try
        {
            return await DigestAsync(cancellation).ConfigureAwait(false);
        }
        finally
        {
            // Whoever waits for this goes on elsewhere: the thread may be the one that takes the others' digests on.
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        }
    }

    private async Task<ImageDigest?> DigestAsync(CancellationToken cancellation)
    {
        using RunningDigest hash = others.Begin(algorithm);
        bool deferred = false;
        await foreach (SourceItem item in items.Reader.ReadAllAsync(cancellation).ConfigureAwait(false))
        {
            deferred |= item.IsDeferred;
            if (item.Block is { } block)
            {
                if (!deferred)
                    await hash.AppendAsync(block.Message(0, block.Length)).ConfigureAwait(false);
                block.Release();
            }
            else if (!deferred)
            {
                // What was not read counts as zeros.
                await AppendZerosAsync(hash, item.Length, cancellation).ConfigureAwait(false);
            }
        }

        return deferred ? null : new ImageDigest(algorithm, hash.ToHex());
    }

    private static async Task AppendZerosAsync(RunningDigest hash, long length, CancellationToken cancellation)
    {
        for (; length > 0; length -= Zeros.Length)
        {
            cancellation.ThrowIfCancellationRequested();
            await hash.AppendAsync(ZerosOf((int)Math.Min(length, Zeros.Length))).ConfigureAwait(false);
        }
    }

    private static unsafe LaneMessage ZerosOf(int length) => new((byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(Zeros)), length);
}
