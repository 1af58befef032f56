using System.Security.Cryptography;
using Evidence.Hashing.Lanes;

namespace Evidence.Hashing;

/// <summary>The digest of one message that comes in parts, by whatever is fastest for one alone.</summary>
internal abstract class RunningDigest : IDisposable
{
    /// <summary>Begins a digest.</summary>
    internal static RunningDigest Begin(DigestAlgorithm algorithm) =>
        HashFunction.Find(algorithm) is { } function &&
        LanePlan.Fastest(LaneKernel.Vectors(function), [1], aloneCall: 0, LaneCosts.Alone(function)).Kernel is { } kernel
            ? new InOneLane(kernel)
            : new ByFramework(algorithm);

    /// <summary>Takes more of the message.</summary>
    internal abstract void Append(ReadOnlySpan<byte> part);

    /// <summary>Takes more of the message, which stays where it is until that is done. No other part may come before.</summary>
    internal virtual ValueTask AppendAsync(LaneMessage part)
    {
        Append(part.Bytes);
        return ValueTask.CompletedTask;
    }

    /// <summary>The digest of all that was taken, in lower-case hexadecimal digits.</summary>
    internal abstract string ToHex();

    /// <inheritdoc/>
    public abstract void Dispose();

    private sealed class InOneLane(LaneKernel kernel) : RunningDigest
    {
        private readonly LaneChain chain = new(kernel.Function);

        internal override unsafe void Append(ReadOnlySpan<byte> part)
        {
            fixed (byte* start = part)
                LaneChain.Append(kernel, [new LaneInput(chain, start, part.Length)]);
        }

        internal override string ToHex() => Convert.ToHexStringLower(chain.ToDigest());

        public override void Dispose()
        {
            // It holds nothing but memory of the runtime's.
        }
    }

    private sealed class ByFramework(DigestAlgorithm algorithm) : RunningDigest
    {
        private readonly IncrementalHash hash = algorithm.Create();

        internal override void Append(ReadOnlySpan<byte> part) => hash.AppendData(part);

        internal override string ToHex() => Convert.ToHexStringLower(hash.GetCurrentHash());

        public override void Dispose() => hash.Dispose();
    }
}
