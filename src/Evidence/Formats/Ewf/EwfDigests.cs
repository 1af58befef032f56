using Evidence.Hashing;

namespace Evidence.Formats.Ewf;

/// <summary>The digests of an export. Each is one serial chain, and they run side by side.</summary>
internal sealed class EwfDigests : IDisposable
{
    private readonly Chain md5 = new(DigestAlgorithm.Md5);
    private readonly Chain sha1 = new(DigestAlgorithm.Sha1);
    private readonly Chain sha256 = new(DigestAlgorithm.Sha256);

    /// <summary>Over all sectors.</summary>
    internal string Md5 => md5.Value;

    /// <summary>Over all sectors.</summary>
    internal string Sha1 => sha1.Value;

    /// <summary>Over the image's own bytes.</summary>
    internal string Sha256 => sha256.Value;

    /// <summary>Takes a batch, behind those before it; the task ends when all have.</summary>
    internal Task Append(EwfBatch batch) => Task.WhenAll(
        md5.Append(hash => hash.Append(batch.MediaBytes)), sha1.Append(hash => hash.Append(batch.MediaBytes)), sha256.Append(hash => hash.Append(batch.ImageBytes)));

    /// <inheritdoc/>
    public void Dispose()
    {
        md5.Dispose();
        sha1.Dispose();
        sha256.Dispose();
    }

    private sealed class Chain(DigestAlgorithm algorithm) : IDisposable
    {
        private readonly RunningDigest hash = RunningDigest.Begin(algorithm);
        private Task last = Task.CompletedTask;

        /// <summary>The digest of all that was taken; asked for when all is.</summary>
        internal string Value => field ??= hash.ToHex();

        internal Task Append(Action<RunningDigest> take) =>
            last = last.ContinueWith(
                before =>
                {
                    before.GetAwaiter().GetResult();
                    take(hash);
                },
                CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);

        public void Dispose() => hash.Dispose();
    }
}
