using System.Threading.Channels;
using Evidence.Hashing;
using Evidence.Vaults;

namespace Evidence.Acquisition;

/// <summary>One digest of the whole image, on a worker of its own: such a chain is serial by nature.</summary>
internal sealed class DigestChain
{
    private static readonly byte[] Zeros = new byte[1 << 20];

    private readonly DigestAlgorithm algorithm;
    private readonly Channel<SourceItem> items = Channel.CreateUnbounded<SourceItem>(new() { SingleReader = true, SingleWriter = true });

    internal DigestChain(DigestAlgorithm algorithm) => this.algorithm = algorithm;

    internal ChannelWriter<SourceItem> Input => items.Writer;

    /// <summary>The digest; null where part of the image comes only later, so that there is none yet.</summary>
    internal async Task<ImageDigest?> RunAsync(CancellationToken cancellation)
    {
        using var hash = RunningDigest.Begin(algorithm);
        bool deferred = false;
        await foreach (SourceItem item in items.Reader.ReadAllAsync(cancellation).ConfigureAwait(false))
        {
            deferred |= item.IsDeferred;
            if (item.Block is { } block)
            {
                if (!deferred)
                    hash.Append(block.Content);
                block.Release();
            }
            else if (!deferred)
            {
                // What was not read counts as zeros.
                AppendZeros(hash, item.Length, cancellation);
            }
        }

        return deferred ? null : new ImageDigest(algorithm, hash.ToHex());
    }

    private static void AppendZeros(RunningDigest hash, long length, CancellationToken cancellation)
    {
        for (; length > 0; length -= Zeros.Length)
        {
            cancellation.ThrowIfCancellationRequested();
            hash.Append(Zeros.AsSpan(0, (int)Math.Min(length, Zeros.Length)));
        }
    }
}
