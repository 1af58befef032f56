using System.Text.Json.Nodes;
using Evidence.Ledger;
using Evidence.Preservation;
using FsCheck;
using FsCheck.Fluent;
using NodaTime;
using Xunit;

namespace Evidence.Tests.Preservation;

/// <summary>Who had an item, as entries tell it that are put together here by hand.</summary>
public sealed class CustodyChainTests : IDisposable
{
    private const string Origin = "vault.example/test";
    private const string Item = "server-7";

    private static readonly Instant Start = Instant.FromUtc(2026, 3, 2, 9, 0);

    private readonly Dictionary<string, ActorKey> keys = new(StringComparer.Ordinal);
    private readonly List<LedgerEntry> entries = [];
    private Instant now = Start;

    public CustodyChainTests()
    {
        foreach (string name in (string[])["a", "b", "c"])
        {
            ActorKey key = ActorKey.Create();
            keys.Add(name, key);
            entries.Add(Sign(EntryKind.Identity, [], new ActorIdentity(name, null, key.PublicKey).ToJson(), key));
        }
    }

    [Fact]
    public void From_the_offer_to_its_acceptance_nobody_has_it()
    {
        Acquire("a");
        Wait(10);
        LedgerEntry offer = Offer("a", "b", "0042");
        Wait(162);
        Answer("b", offer, accept: true, "seal 0057");
        Note("a");
        CustodyInterval[] chain = [.. Chain().Intervals];
        Assert.Equal([CustodyState.Held, CustodyState.InTransit, CustodyState.Held], chain.Select(i => i.State));
        Assert.Equal(["a", "a", "b"], chain.Select(i => i.From.Actor.Name), StringComparer.Ordinal);
        Assert.Equal([Duration.FromMinutes(10), Duration.FromMinutes(162), null], chain.Select(i => i.Length));
        Assert.Equal([false, true, false], chain.Select(i => i.IsUnattended));
        Assert.Equal(("0042", "seal 0057"), (chain[1].Transfer!.Offer.Seals[0], ((TransferAnswer)chain[1].Transfer!.Outcome!.Statement).Text));
    }

    [Theory]
    [InlineData("nothing")]
    [InlineData("refusal")]
    [InlineData("withdrawal")]
    [InlineData("answer of another")]
    [InlineData("answer to itself")]
    [InlineData("wrong signature")]
    public void What_was_not_accepted_stays_where_it_is(string outcome)
    {
        Acquire("a");
        LedgerEntry offer = Offer("a", "b");
        switch (outcome)
        {
            case "refusal":
                Answer("b", offer, accept: false);
                Answer("b", offer, accept: true);
                break;
            case "withdrawal":
                Add("a", EntryKind.Transfer, new TransferWithdrawal(offer.LeafHash, null).ToJson());
                break;
            case "answer of another":
                Answer("c", offer, accept: true);
                break;
            case "answer to itself":
                Answer("a", offer, accept: true);
                break;
            case "wrong signature":
                // The payload names b's key, and c's is what signed.
                EntryPayload payload = Payload(EntryKind.Transfer, [Item], new TransferAnswer(true, Origin, offer.LeafHash).ToJson(), keys["b"].Id);
                LedgerEntry right = LedgerEntry.Create(payload, keys["b"]);
                byte[] bytes = right.ToBytes();
                string signature = Convert.ToBase64String(right.Signatures[0].Signature.Span);
                string text = System.Text.Encoding.UTF8.GetString(bytes).Replace(signature, Convert.ToBase64String(OtherSignature()), StringComparison.Ordinal);
                entries.Add(LedgerEntry.Parse(System.Text.Encoding.UTF8.GetBytes(text)));
                break;
        }

        CustodyInterval held = Assert.Single(Chain().Intervals);
        Assert.Equal((CustodyState.Held, "a", null), (held.State, held.From.Actor.Name, held.To));
    }

    [Fact]
    public void Whoever_has_it_next_without_a_handover_leaves_a_gap()
    {
        Acquire("a");
        LedgerEntry offer = Offer("a", "b");
        Acquire("c");
        Answer("b", offer, accept: true);
        CustodyInterval[] chain = [.. Chain().Intervals];
        Assert.Equal(
            [(CustodyState.Held, "a", "a"), (CustodyState.Unexplained, "a", "c"), (CustodyState.Held, "c", "c"), (CustodyState.Unexplained, "c", "b"), (CustodyState.Held, "b", null)],
            chain.Select(i => (i.State, i.From.Actor.Name, i.To?.Actor.Name)));
    }

    [Fact]
    public void A_new_key_is_not_another_party()
    {
        Acquire("a");
        var next = ActorKey.Create();
        entries.Add(Sign(EntryKind.Identity, [], new KeyRotation(keys["a"].Id, next.PublicKey).ToJson(), keys["a"], next));
        keys["a"].Dispose();
        keys["a"] = next;
        Acquire("a");
        Assert.Equal(CustodyState.Held, Assert.Single(Chain().Intervals).State);
    }

    [Fact]
    public void Other_items_and_remarks_say_nothing_of_it()
    {
        Note("a");
        Add("b", EntryKind.Acquisition, [], "server-8");
        Assert.Empty(Chain().Intervals);
    }

    [Fact]
    public void Claims_that_run_backwards_have_no_length_to_be_believed()
    {
        Acquire("a");
        LedgerEntry offer = Offer("a", "b");
        Wait(-90);
        Answer("b", offer, accept: true);
        Assert.Equal(Duration.FromMinutes(-90), Chain().Intervals[1].Length);
    }

    /// <summary>Whatever the parties do: the intervals follow one another, held by one party or by none, and each change of hands is a gap.</summary>
    [Fact]
    public void No_moment_is_left_out_and_no_change_of_hands_goes_unseen()
    {
        string[] names = ["a", "b", "c"];
        Gen<(int What, int Who, int Other)> act = from what in Gen.Choose(0, 4) from who in Gen.Choose(0, 2) from other in Gen.Choose(0, 30) select (what, who, other);
        int declared = entries.Count;
        Prop.ForAll(Gen.ListOf(act).Select(list => list.Take(20).ToArray()).ToArbitrary(), acts =>
        {
            entries.RemoveRange(declared, entries.Count - declared);
            var offers = new List<(LedgerEntry Offer, string By, bool IsAnswered)>();
            var hands = new List<string>();
            foreach ((int what, int who, int other) in acts)
            {
                Wait(1);
                string name = names[who];
                if (what == 0)
                {
                    Acquire(name);
                    hands.Add(name);
                }
                else if (what == 1)
                {
                    offers.Add((Offer(name, null), name, false));
                    hands.Add(name);
                }
                else if (what == 2)
                {
                    Note(name);
                }
                else if (offers.Count > 0)
                {
                    int n = other % offers.Count;
                    Answer(name, offers[n].Offer, accept: what == 3);
                    if (offers[n].IsAnswered || offers[n].By == name)
                        continue;
                    offers[n] = offers[n] with { IsAnswered = true };
                    if (what == 3)
                        hands.Add("!" + name);
                }
            }

            IReadOnlyList<CustodyInterval> chain = Chain().Intervals;
            // An acceptance is a change of hands also where the recipient had it already, by its own word.
            int changes = hands.Where((hand, i) => i > 0 && (hand[0] == '!' || hand != hands[i - 1].TrimStart('!'))).Count();
            Assert.Equal(hands.Count == 0 ? 0 : (2 * changes) + 1, chain.Count);
            for (int i = 0; i < chain.Count; i++)
            {
                Assert.Equal(i % 2 == 1, chain[i].IsUnattended);
                Assert.Equal(i + 1 < chain.Count ? chain[i + 1].From : null, chain[i].To);
                Assert.True(chain[i].IsUnattended || chain[i].To is null || chain[i].To!.Actor.Name == chain[i].From.Actor.Name);
            }

            Assert.True(chain.Count == 0 || chain[^1].From.Actor.Name == hands[^1].TrimStart('!'));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(60).WithQuietOnSuccess(true));
    }

    public void Dispose()
    {
        foreach (ActorKey key in keys.Values)
            key.Dispose();
    }

    private void Wait(int minutes) => now += Duration.FromMinutes(minutes);

    private void Acquire(string name) => Add(name, EntryKind.Acquisition, []);

    private void Note(string name) => Add(name, EntryKind.Note, new JsonObject { ["text"] = "a remark" });

    private LedgerEntry Offer(string from, string? to, params string[] seals) =>
        Add(from, EntryKind.Transfer, new TransferOffer(Origin, "the other", to is null ? null : keys[to].Id) { Seals = seals }.ToJson());

    private void Answer(string name, LedgerEntry offer, bool accept, string? text = null) =>
        Add(name, EntryKind.Transfer, new TransferAnswer(accept, Origin, offer.LeafHash) { Text = text }.ToJson());

    private LedgerEntry Add(string name, string kind, JsonObject body, string item = Item)
    {
        LedgerEntry entry = Sign(kind, [item], body, keys[name]);
        entries.Add(entry);
        return entry;
    }

    private byte[] OtherSignature() => Sign(EntryKind.Note, [], [], keys["c"]).Signatures[0].Signature.ToArray();

    private LedgerEntry Sign(string kind, string[] items, JsonObject body, params ActorKey[] signers) => LedgerEntry.Create(Payload(kind, items, body, signers[0].Id), signers);

    private EntryPayload Payload(string kind, string[] items, JsonObject body, string key) => new(kind, now, null, items, body, key);

    private CustodyChain Chain()
    {
        var registry = new KeyRegistry();
        return CustodyChain.Of(Item, entries.Select((entry, i) => JudgedEntry.Judge(i, entry.ToBytes(), registry)), registry);
    }
}
