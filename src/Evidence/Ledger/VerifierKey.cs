using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Evidence.Ledger.Witnesses;

namespace Evidence.Ledger;

/// <summary>The signature types of c2sp.org/signed-note that this library verifies.</summary>
public enum NoteKeyType
{
    /// <summary>Ed25519 (RFC 8032) over the text.</summary>
    Ed25519 = 1,

    /// <summary>ECDSA with SHA-256 over the text, ASN.1 DER signatures.</summary>
    Ecdsa = 2,

    /// <summary>A witness's Ed25519 over a time and the text (c2sp.org/tlog-cosignature, <c>cosignature/v1</c>).</summary>
    Ed25519Cosignature = 4,
}

/// <summary>A public key, of a log or a witness, that signs notes, in its written form <c>name+key id+base64(type || key)</c>: a "vkey".</summary>
public sealed class VerifierKey : IEquatable<VerifierKey>
{
    private readonly byte[] key;

    private VerifierKey(string name, NoteKeyType type, byte[] key)
    {
        Name = name;
        Type = type;
        this.key = key;
        KeyId = ComputeId(name, type, key);
    }

    /// <summary>The key's name; for a log's keys, its origin.</summary>
    public string Name { get; }

    /// <summary>The signature type.</summary>
    public NoteKeyType Type { get; }

    /// <summary>The key id, big-endian.</summary>
    public uint KeyId { get; }

    /// <summary>Whether it is a witness's key. Its signatures say that the log only grew, not that they are the log's.</summary>
    public bool IsWitness => Type == NoteKeyType.Ed25519Cosignature;

    /// <summary>Whether this machine can check its signatures: Ed25519 needs OpenSSL.</summary>
    internal bool IsCheckable => Type == NoteKeyType.Ecdsa || Ed25519.IsAvailable;

    /// <summary>The key: 32 bytes for Ed25519, the SubjectPublicKeyInfo in DER for ECDSA.</summary>
    public ReadOnlySpan<byte> Key => key;

    /// <summary>Reads a key's written form.</summary>
    /// <exception cref="FormatException">The text is not a key of a type that is known here, or its key id is another key's.</exception>
    public static VerifierKey Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        // Base64 may hold a plus sign itself, names and key ids cannot.
        if (text.Split('+', 3) is not [var name, { Length: 8 } id, var value] || !KeyName.IsValid(name) ||
            !id.All(char.IsAsciiHexDigitLower) || Base64Text.TryDecode(value) is not { Length: > 1 } bytes)
        {
            throw new FormatException($"'{text}' is not a verifier key: name+key id+base64.");
        }

        VerifierKey result = (NoteKeyType)bytes[0] switch
        {
            NoteKeyType.Ed25519 or NoteKeyType.Ed25519Cosignature when bytes.Length == 1 + Ed25519.PublicKeySize =>
                new(name, (NoteKeyType)bytes[0], bytes[1..]),
            NoteKeyType.Ecdsa => FromEcdsa(name, bytes.AsSpan(1)),
            _ => throw new FormatException($"The verifier key {name}+{id} is of a type or length that is not known here."),
        };
        return result.KeyId == uint.Parse(id, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)
            ? result
            : throw new FormatException($"The verifier key {name}+{id} carries another key's id.");
    }

    /// <summary>Reads the written form of a log's key.</summary>
    /// <exception cref="FormatException">The text is no key that is known here, or it is a witness's.</exception>
    public static VerifierKey ParseLogKey(string text)
    {
        var parsed = Parse(text);
        return parsed.IsWitness ? throw new FormatException($"The verifier key {text} is a witness's, not a log's.") : parsed;
    }

    internal static VerifierKey FromEd25519(string name, ReadOnlySpan<byte> publicKey, NoteKeyType type = NoteKeyType.Ed25519) =>
        new(name, type, publicKey.ToArray());

    internal static VerifierKey FromEcdsa(string name, ReadOnlySpan<byte> subjectPublicKeyInfo)
    {
        try
        {
            EcdsaPublicKey.Demand(subjectPublicKeyInfo);
        }
        catch (FormatException e)
        {
            throw new FormatException($"The ECDSA key {name} is not a public key: {e.Message}", e);
        }

        return new(name, NoteKeyType.Ecdsa, subjectPublicKeyInfo.ToArray());
    }

    /// <summary>Whether a signature line names this key.</summary>
    internal bool Matches(NoteSignature signature) =>
        signature.KeyId == KeyId && string.Equals(signature.KeyName, Name, StringComparison.Ordinal);

    /// <summary>Whether a signature is this key's over a text.</summary>
    internal bool Verify(ReadOnlySpan<byte> text, ReadOnlySpan<byte> signature)
    {
        if (Type == NoteKeyType.Ed25519)
            return Ed25519.Verify(key, text, signature);
        if (Type == NoteKeyType.Ed25519Cosignature)
            return Cosignature.Verify(key, text, signature);
        using var ecdsa = ECDsa.Create();
        ecdsa.ImportSubjectPublicKeyInfo(key, out _);
        return ecdsa.VerifyData(text, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
    }

    /// <summary>The key's written form.</summary>
    public override string ToString() =>
        $"{Name}+{KeyId.ToString("x8", CultureInfo.InvariantCulture)}+{Convert.ToBase64String([(byte)Type, .. key])}";

    /// <inheritdoc/>
    public bool Equals([NotNullWhen(true)] VerifierKey? other) =>
        other is not null && other.Type == Type && string.Equals(other.Name, Name, StringComparison.Ordinal) &&
        other.Key.SequenceEqual(key);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as VerifierKey);

    /// <inheritdoc/>
    public override int GetHashCode() => unchecked((int)KeyId);

    private static uint ComputeId(string name, NoteKeyType type, byte[] key)
    {
        // signed-note: Ed25519 ids are over name, LF, type and key; ECDSA ids, older, over the SubjectPublicKeyInfo alone.
        byte[] subject = type == NoteKeyType.Ecdsa ? key : [.. Encoding.UTF8.GetBytes(name), (byte)'\n', (byte)type, .. key];
        return BinaryPrimitives.ReadUInt32BigEndian(SHA256.HashData(subject));
    }
}
