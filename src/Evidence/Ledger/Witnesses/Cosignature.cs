using System.Buffers.Binary;
using System.Text;
using Evidence.Canonical;
using NodaTime;

namespace Evidence.Ledger.Witnesses;

/// <summary>
/// A witness's statement on a checkpoint, <c>cosignature/v1</c> (c2sp.org/tlog-cosignature): as of that time, of all that it saw of the log, this was the
/// largest, and the log had only grown.
/// </summary>
/// <param name="Key">The witness's key.</param>
/// <param name="Time">When it says that it signed, in whole seconds. The witness's claim, outside the hands of the log's keeper.</param>
public sealed record Cosignature(VerifierKey Key, Instant Time)
{
    // A big-endian time in seconds since 1970, then the Ed25519 signature.
    private const int Length = sizeof(long) + Ed25519.SignatureSize;

    /// <summary>The last second that a time can name: the end of the year 9999.</summary>
    private static readonly long LatestSecond = Instant.MaxValue.ToUnixTimeSeconds();

    /// <summary>The cosignatures on a note by any of some witnesses' keys; of several by one key the earliest.</summary>
    /// <param name="note">The note.</param>
    /// <param name="verdict">What <see cref="NoteVerifier"/> says of it and those keys.</param>
    internal static IReadOnlyList<Cosignature> Read(SignedNote note, NoteVerdict verdict) =>
    [
        .. verdict.Verified.Where(key => key.IsWitness).Select(key => new Cosignature(
            key, note.Signatures.Where(key.Matches).Where(line => key.Verify(Encoding.UTF8.GetBytes(note.Text), line.Signature.Span)).Min(line => TimeOf(line.Signature.Span)!.Value))),
    ];

    /// <summary>Signs a checkpoint's text as a witness.</summary>
    internal static byte[] Sign(ReadOnlySpan<byte> seed, ReadOnlySpan<byte> text, Instant time)
    {
        var signature = new byte[Length];
        BinaryPrimitives.WriteInt64BigEndian(signature, time.ToUnixTimeSeconds());
        Ed25519.Sign(seed, Message(time, text)).CopyTo(signature.AsSpan(sizeof(long)));
        return signature;
    }

    internal static bool Verify(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> text, ReadOnlySpan<byte> signature) =>
        TimeOf(signature) is { } time && Ed25519.Verify(publicKey, Message(time, text), signature[sizeof(long)..]);

    /// <summary>The time in a cosignature; null where it is none, or names no time that is.</summary>
    private static Instant? TimeOf(ReadOnlySpan<byte> signature) =>
        signature.Length == Length && BinaryPrimitives.ReadInt64BigEndian(signature) is > 0 and var seconds && seconds <= LatestSecond
            ? Instant.FromUnixTimeSeconds(seconds)
            : null;

    private static byte[] Message(Instant time, ReadOnlySpan<byte> text) =>
        [.. Encoding.UTF8.GetBytes($"cosignature/v1\ntime {DecimalText.Format(time.ToUnixTimeSeconds())}\n"), .. text];
}
