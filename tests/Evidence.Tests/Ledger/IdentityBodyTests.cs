using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Evidence.Ledger;
using NodaTime;
using Xunit;

namespace Evidence.Tests.Ledger;

/// <summary>Public keys as others may declare them: one key has one spelling, and no spelling stops a verifier.</summary>
public sealed class IdentityBodyTests
{
    private static readonly byte[] Key = MakeKey(ECCurve.NamedCurves.nistP256);

    public static TheoryData<string, byte[]> WrongKeys => new()
    {
        { "a byte too many", [.. Key, 0] },
        { "a curve that nobody knows", Patched([0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07], 7, 0x7F) },
        { "no point of the curve", Patched([0x03, 0x42, 0x00, 0x04], 10, (byte)(Key[36] ^ 0xFF)) },
        { "another curve", MakeKey(ECCurve.NamedCurves.nistP384) },
        { "nothing", [] },
    };

    [Theory]
    [MemberData(nameof(WrongKeys))]
    public void A_public_key_that_is_not_one_in_its_one_spelling_declares_nothing(string what, byte[] key)
    {
        Assert.NotEmpty(what);
        foreach (IdentityBody body in (IdentityBody[])[new ActorIdentity("Mallory", null, key), new KeyRotation(ActorKey.ComputeId(Key), key)])
        {
            LedgerEntry entry = SignedBy(ActorKey.ComputeId(key), body.ToJson());
            var registry = new KeyRegistry();
            EntryVerdict verdict = registry.Fold(0, entry);
            Assert.Equal(EntrySignatureStatus.UnknownSigner, verdict.Status);
            Assert.Contains("publicKey", verdict.RefusedIdentity, StringComparison.Ordinal);
            Assert.Empty(registry.Keys);
        }
    }

    [Theory]
    [MemberData(nameof(WrongKeys))]
    public void A_logs_key_that_is_none_is_refused_as_such(string what, byte[] key)
    {
        // A log's key may be on another curve.
        if (what is not "another curve")
            Assert.Throws<FormatException>(() => VerifierKey.FromEcdsa("log.example", key));
    }

    private static LedgerEntry SignedBy(string keyId, JsonObject body)
    {
        var payload = new EntryPayload(EntryKind.Identity, Instant.FromUtc(2026, 1, 1, 0, 0), null, [], body, keyId);
        // The signature is another's: what counts is that it is looked at, and how that ends.
        using var any = ActorKey.Create();
        return LedgerEntry.Parse(new DsseEnvelope("application/vnd.evidence.identity+json", payload.ToBytes(), [new EntrySignature(keyId, any.Sign([1]))]).ToBytes());
    }

    private static byte[] MakeKey(ECCurve curve)
    {
        using var key = ECDsa.Create(curve);
        return key.ExportSubjectPublicKeyInfo();
    }

    private static byte[] Patched(ReadOnlySpan<byte> from, int offset, byte value)
    {
        byte[] patched = [.. Key];
        patched[Key.AsSpan().IndexOf(from) + offset] = value;
        return patched;
    }
}
