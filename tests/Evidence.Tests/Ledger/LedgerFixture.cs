using System.Formats.Asn1;
using System.Globalization;
using System.Numerics;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Ledger;
using NodaTime;
using Xunit;

namespace Evidence.Tests.Ledger;

/// <summary>A log with its keys and an actor.</summary>
internal sealed class LedgerFixture
{
    public const string Origin = "evidence.example/vault/1";

    public static readonly ActorKey Actor = ActorKey.Create();

    public static readonly LogKeys Keys = LogKeys.Create(Origin);

    public MemoryStorage Storage { get; init; } = new();

    public MemorySeen Seen { get; init; } = new();

    public static LedgerEntry Entry(string text) => LedgerEntry.Create(
        new EntryPayload(
            EntryKind.Note, Instant.FromUtc(2026, 1, 2, 3, 4), "case-1", ["item-1"], new JsonObject { ["text"] = text }, Actor.Id),
        Actor);

    /// <summary>What has to come before an entry of the actor's that is judged.</summary>
    public static readonly LedgerEntry Declaration = Declare(Actor, "actor", Instant.FromUtc(2026, 1, 2, 3, 4));

    public static LedgerEntry Declare(ActorKey actor, string name, Instant time) => LedgerEntry.Create(
        new EntryPayload(EntryKind.Identity, time, null, [], new ActorIdentity(name, null, actor.PublicKey).ToJson(), actor.Id), actor);

    /// <summary>
    /// An entry that says the same with another signature, made without any key: of an ECDSA signature (r, s) the form (r, n − s) is as right, n being the curve's order.
    /// </summary>
    public static LedgerEntry Repeat(LedgerEntry entry)
    {
        var order = BigInteger.Parse("115792089210356248762697446949407573529996955224135760342422259061068512044369", CultureInfo.InvariantCulture);
        AsnReader signature = new AsnReader(entry.Signatures[0].Signature, AsnEncodingRules.DER).ReadSequence();
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(signature.ReadInteger());
            writer.WriteInteger(order - signature.ReadInteger());
        }

        JsonNode envelope = CanonicalJson.Parse(entry.ToBytes());
        envelope["signatures"]![0]!["sig"] = Convert.ToBase64String(writer.Encode());
        return LedgerEntry.Parse(CanonicalJson.Serialize(envelope));
    }

    public static IReadOnlyList<byte[]> Entries(int count, string text = "entry") =>
        [.. Enumerable.Range(0, count).Select(i => Entry($"{text} {i}").ToBytes())];

    public AppendResult Append(IReadOnlyList<byte[]> entries) =>
        LedgerWriter.Open(Storage, Keys, Seen, TestContext.Current.CancellationToken).Append(entries, TestContext.Current.CancellationToken);

    public LedgerWriter Writer() => LedgerWriter.Open(Storage, Keys, Seen, TestContext.Current.CancellationToken);

    public CustodyLedger Reader() => CustodyLedger.Open(Storage, Origin, Keys.VerifierKeys, Seen);

    public LedgerCheckResult Check() => LedgerCheck.Run(Storage, Origin, Keys.VerifierKeys, TestContext.Current.CancellationToken);
}
