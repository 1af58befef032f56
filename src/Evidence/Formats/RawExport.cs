using System.Buffers;
using System.Security.Cryptography;
using Evidence.Hashing;
using Evidence.Segments;
using Evidence.Vaults;

namespace Evidence.Formats;

/// <summary>What was handed out.</summary>
/// <param name="Offset">The first byte of the image that was.</param>
/// <param name="Length">The number of bytes.</param>
/// <param name="Sha256">The SHA-256 of the bytes as they were written; null for an image that was made without digests.</param>
/// <param name="AbsentBytes">How many of them are zeros that stand for nothing: never read, or unreadable.</param>
/// <param name="HoleBytes">How many are zeros because the source said that nothing was there: not read either, and the source's claim.</param>
/// <param name="Matches">Whether the digest is the one that the manifest gives for the whole image; null where it gives none, or a part was handed out.</param>
/// <param name="Remaining">The bytes of a device behind what was written, which are as they were.</param>
public sealed record RawExportResult(long Offset, long Length, Sha256Digest? Sha256, long AbsentBytes, long HoleBytes, bool? Matches, long Remaining)
{
    /// <summary>The paths of the files that were written, in order; none for a stream or a device.</summary>
    public IReadOnlyList<string> Files { get; init; } = [];

    /// <summary>What the ledger records of it (<see cref="VaultLedger.RecordExport"/>).</summary>
    public HandedOut HandedOut => new("raw", Offset, Length, Sha256, AbsentBytes, HoleBytes);
}

/// <summary>What to hand out as raw bytes, and how.</summary>
public sealed record RawExportOptions
{
    /// <summary>The first byte.</summary>
    public long Offset { get; init; }

    /// <summary>The number of bytes; null for all that follow.</summary>
    public long? Length { get; init; }

    /// <summary>The bytes of each of the files that it is split into, but the last; null for one file, or a device. Not to be combined with a device.</summary>
    public long? PartSize
    {
        get;
        init
        {
            if (value is { } size)
                ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size, nameof(value));
            field = value;
        }
    }

    /// <summary>Whether a device is written over on which there are partitions, a file system, or something else that is known by its signature.</summary>
    public bool Overwrite { get; init; }
}

/// <summary>Hands an image out as raw bytes. Every segment is checked against its id on the way.</summary>
public static class RawExport
{
    private const int ZeroLength = 1 << 20;

    private static readonly byte[] Zeros = new byte[ZeroLength];

    /// <summary>Writes an image, or a range of it, to a stream.</summary>
    /// <param name="image">The image.</param>
    /// <param name="destination">Where the bytes go, in order.</param>
    /// <param name="offset">The first byte.</param>
    /// <param name="length">The number of bytes; null for all that follow.</param>
    /// <param name="progress">Hears the number of bytes written so far.</param>
    /// <param name="cancellation">Stops the export.</param>
    /// <exception cref="EvidenceException">The range is not in the image, or what the vault holds is damaged.</exception>
    public static Task<RawExportResult> WriteAsync(
        VaultImage image, Stream destination, long offset = 0, long? length = null, IProgress<long>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(destination);
        return WriteAsync(image, new StreamTarget(destination), offset, length, progress, cancellation);
    }

    /// <summary>Writes an image, or a range of it, to a new file, to new files of a chosen size, or over a block device.</summary>
    /// <param name="image">The image.</param>
    /// <param name="path">
    /// A file that does not exist yet: it appears when it is whole and durable. Or the first of several, which ends in a number (<c>NAME.001</c>): they appear together. Or a block device that
    /// is large enough.
    /// </param>
    /// <param name="options">What, and how; null for the whole, in one piece.</param>
    /// <param name="progress">Hears the number of bytes written so far.</param>
    /// <param name="cancellation">Stops the export.</param>
    /// <exception cref="EvidenceException">
    /// The file exists, the device is too small or has something on it, the range is not in the image, or what the vault holds is damaged.
    /// </exception>
    public static async Task<RawExportResult> WriteAsync(
        VaultImage image, string path, RawExportOptions? options = null, IProgress<long>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(image);
        options ??= new RawExportOptions();
        long wanted = CheckRange(image, options.Offset, options.Length);
        using RawTarget target = RawTarget.Open(path, wanted, options, image.Logger);
        RawExportResult result = await WriteAsync(image, target, options.Offset, wanted, progress, cancellation).ConfigureAwait(false);
        target.Complete();
        return result with { Remaining = target.Remaining, Files = target.Files };
    }

    private static async Task<RawExportResult> WriteAsync(
        VaultImage image, RawTarget target, long offset, long? length, IProgress<long>? progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(image);
        long wanted = CheckRange(image, offset, length);
        // Every segment is checked anyway. An image without digests is most likely one of terabytes of holes: hashing those would be the whole cost.
        using IncrementalHash? hash = image.Manifest.Digests.Count == 0 ? null : IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long absent = 0;
        long holes = 0;
        long done = 0;
        // A few segments are read and expanded ahead, on other cores; what bounds them bounds the memory.
        var ahead = new Queue<Task<Piece>>();
        using IEnumerator<MapRun> runs = image.Runs(offset, wanted).GetEnumerator();
        try
        {
            while (true)
            {
                while (ahead.Count < 2 * Environment.ProcessorCount && runs.MoveNext())
                {
                    MapRun run = runs.Current;
                    ahead.Enqueue(run.Kind == RunKind.Data ? Task.Run(() => Piece.Read(image, run), cancellation) : Task.FromResult(new Piece(run, null)));
                }

                if (!ahead.TryDequeue(out Task<Piece>? next))
                    break;
                using Piece piece = await next.ConfigureAwait(false);
                cancellation.ThrowIfCancellationRequested();
                long skip = Math.Max(0, offset - piece.Run.Offset);
                long count = Math.Min(piece.Run.End, offset + wanted) - piece.Run.Offset - skip;
                Write(piece, skip, count, target, hash);
                if (!piece.Run.IsPresent && piece.Run.Kind != RunKind.Hole)
                    absent += count;
                else if (piece.Run.Kind == RunKind.Hole)
                    holes += count;
                done += count;
                progress?.Report(done);
            }
        }
        finally
        {
            foreach (Task<Piece> task in ahead)
                _ = task.ContinueWith(static t => t.Result.Dispose(), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
        }

        Sha256Digest? digest = hash is null ? null : new Sha256Digest(hash.GetHashAndReset());
        ImageDigest? expected = offset == 0 && wanted == image.Size
            ? image.Manifest.Digests.FirstOrDefault(d => d.Algorithm == DigestAlgorithm.Sha256)
            : null;
        bool? matches = expected is null ? null : string.Equals(expected.Value, digest?.ToString(), StringComparison.Ordinal);
        return matches == false
            ? throw new EvidenceException(
                ErrorCode.ContentRefuted, $"What was read from the vault hashes to {digest}, but the manifest of image {image.Id} gives {expected!.Value}.")
            : new RawExportResult(offset, wanted, digest, absent, holes, matches, 0);
    }

    private static void Write(Piece piece, long skip, long count, RawTarget target, IncrementalHash? hash)
    {
        if (piece.Content is { } content)
        {
            ReadOnlySpan<byte> bytes = content.AsSpan((int)skip, (int)count);
            hash?.AppendData(bytes);
            target.Write(bytes);
            return;
        }

        byte[] pattern = Zeros;
        if (piece.Run.Value != 0)
        {
            pattern = new byte[ZeroLength];
            pattern.AsSpan().Fill(piece.Run.Value);
        }

        for (; count > 0; count -= ZeroLength)
        {
            ReadOnlySpan<byte> bytes = pattern.AsSpan(0, (int)Math.Min(count, ZeroLength));
            hash?.AppendData(bytes);
            if (piece.Run.Value == 0)
                target.WriteZeros(bytes);
            else
                target.Write(bytes);
        }
    }

    private static long CheckRange(VaultImage image, long offset, long? length)
    {
        long wanted = length ?? image.Size - offset;
        return offset >= 0 && wanted >= 0 && offset <= image.Size && wanted <= image.Size - offset
            ? wanted
            : throw new EvidenceException(ErrorCode.Usage, $"The range {offset}+{wanted} is not within the image's {image.Size} bytes.");
    }

    /// <summary>A run, with its content where it has any of its own.</summary>
    private sealed record Piece(MapRun Run, byte[]? Content) : IDisposable
    {
        internal static Piece Read(VaultImage image, MapRun run)
        {
            byte[] buffer = ArrayPool<byte>.Shared.Rent((int)run.Length);
            image.ReadRun(run, buffer.AsSpan(0, (int)run.Length));
            return new Piece(run, buffer);
        }

        public void Dispose()
        {
            if (Content is not null)
                ArrayPool<byte>.Shared.Return(Content);
        }
    }
}
