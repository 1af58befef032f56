using System.Text;
using Evidence.Ledger;
using Evidence.Ledger.Witnesses;
using NodaTime;
using Xunit;

namespace Evidence.Tests.Ledger;

/// <summary>What a ledger makes of its witnesses' answers, and what is made of them when it is verified.</summary>
public sealed class WitnessingTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly LedgerFixture log = new();
    private readonly Witness[] witnesses;
    private readonly WitnessPolicy policy;

    public WitnessingTests()
    {
        var keys = new KeyStore(Path.Combine(folder.Path, "keys"));
        witnesses = [.. Enumerable.Range(1, 3).Select(n => Open(keys, $"witness.example/w{n}"))];
        policy = Policy(2, witnesses);
        log.Append(LedgerFixture.Entries(300));
    }

    private WitnessedNotes Notes => new(log.Storage);

    private static CancellationToken Stopped => TestContext.Current.CancellationToken;

    [Fact]
    public void A_ledger_is_witnessed_when_the_quorum_cosigned_and_its_tail_is_told_as_it_grows()
    {
        Assert.Equal((300, 0, 300), Sizes(policy));
        Assert.False(Ask(witnesses[0]).IsWitnessed);
        Assert.Equal((300, 0, 300), Sizes(policy));
        Assert.Null(Notes.Published);
        Assert.True(Ask(witnesses[1]).IsWitnessed);
        Assert.Equal((300, 300, 0), Sizes(policy));
        Assert.Empty(log.Storage.List("staging/"));

        log.Append(LedgerFixture.Entries(7));
        Assert.Equal((307, 300, 7), Sizes(policy));
        ProvedTimes times = log.Reader().Witnessing(policy).ProvedTimes;
        Assert.Equal(300, times.Find(299)!.Size);
        Assert.Null(times.Find(300));
        Assert.Null(log.Reader().Witnessing(null).ProvedTimes.Find(0));
        Assert.False(Ask(witnesses[2]).IsWitnessed);
        Assert.Equal((307, 300, 7), Sizes(policy));
        Assert.True(Ask(witnesses[0]).IsWitnessed);
        Assert.Equal((307, 307, 0), Sizes(policy));
        // The third one adds to the same, asked from where it was last, although it is not among those that are published.
        Assert.Equal(["staging/witness/300"], log.Storage.List("staging/"), StringComparer.Ordinal);
        PolicyVerdict all = Ask(witnesses[1]);
        Assert.Empty(log.Storage.List("staging/"));
        Assert.All(all.Witnesses, witness => Assert.Equal(WitnessStatus.Cosigned, witness.Status));
        Assert.Empty(log.Check().Findings);
    }

    /// <summary>A keeper can put cosignatures on the checkpoint too, beside an older one that is witnessed: that one's instant is not the newer one's.</summary>
    [Fact]
    public void Each_size_is_witnessed_by_its_own_instant()
    {
        using var key = WitnessKey.Create("witness.example/own");
        WitnessPolicy own = WitnessPolicy.Parse(Encoding.UTF8.GetBytes($"witness W {key.VerifierKey}\nquorum W\n"));
        Instant early = Instant.FromUtc(2026, 1, 1, 0, 0);
        void Cosign(string name, Instant instant)
        {
            var note = SignedNote.Parse(log.Reader().SignedNote.Span);
            log.Storage.Files[name] = SignedNote.Write(note.Text, [.. note.Signatures, key.Cosign(note.Text, instant)]);
        }

        Cosign("witnessed", early);
        log.Append(LedgerFixture.Entries(5));
        Cosign("checkpoint", early + Duration.FromDays(30));

        LedgerWitnessing witnessing = log.Reader().Witnessing(own);
        Assert.Equal((305, 0), (witnessing.Size, witnessing.Tail));
        Assert.Equal(early + Duration.FromDays(30), witnessing.Verdict!.WitnessedBy);
        Assert.Equal(early + Duration.FromSeconds(1), witnessing.ProvedTimes.Find(299)!.NoLaterThan);
        Assert.Equal(early + Duration.FromDays(30) + Duration.FromSeconds(1), witnessing.ProvedTimes.Find(300)!.NoLaterThan);
    }

    [Fact]
    public void It_is_by_the_verifiers_policy_alone()
    {
        Ask(witnesses[0]);
        Ask(witnesses[1]);
        Assert.Equal((300, 0, 300), Sizes(null));
        Assert.Equal((300, 0, 300), Sizes(Policy(1, witnesses[2])));
        Assert.Equal((300, 300, 0), Sizes(Policy(1, witnesses[1])));
        Assert.Equal((300, 0, 300), Sizes(WitnessPolicy.Parse(Encoding.UTF8.GetBytes($"witness W {witnesses[0].Key}\nquorum none\n"))));
        // A policy that knows logs, and not this one.
        using var other = LogKeys.Create("another.example/log");
        Assert.Equal((300, 0, 300), Sizes(WitnessPolicy.Parse(Encoding.UTF8.GetBytes($"log {other.Ed25519Key}\nwitness W {witnesses[0].Key}\nquorum W\n"))));
    }

    [Fact]
    public void What_is_witnessed_is_a_note_that_others_read()
    {
        Ask(witnesses[0]);
        Ask(witnesses[2]);
        var note = SignedNote.Parse(log.Storage.Files["witnessed"]);
        Assert.Equal(log.Reader().Checkpoint, Checkpoint.Parse(note.Text));
        Assert.Equal(4, note.Signatures.Count);
        Assert.Equal(4, NoteVerifier.Verify(note, [.. LedgerFixture.Keys.VerifierKeys, witnesses[0].Key, witnesses[2].Key]).Verified.Count);
    }

    [Fact]
    public void An_answer_can_come_back_when_the_ledger_has_grown()
    {
        byte[] first = Exchange().GiveOut(0, Stopped);
        byte[] second = Exchange().GiveOut(0, Stopped);
        Assert.Equal(first, second);
        log.Append(LedgerFixture.Entries(20));
        byte[] later = Exchange().GiveOut(0, Stopped);
        log.Append(LedgerFixture.Entries(1));
        AcceptedAnswer accepted = Exchange().Accept(witnesses[0].AddCheckpoint(first).Body.Span, Stopped);
        Assert.Equal((300, false), (accepted.Checkpoint.Size, accepted.Verdict.IsWitnessed));
        Assert.Equal([witnesses[0].Key], accepted.Witnesses.Select(w => w.Key));
        accepted = Exchange().Accept(witnesses[1].AddCheckpoint(first).Body.Span, Stopped);
        Assert.Equal((300, true), (accepted.Checkpoint.Size, accepted.Verdict.IsWitnessed));
        Assert.Equal((321, 300, 21), Sizes(policy));
        // The other one that was given out still waits.
        accepted = Exchange().Accept(witnesses[2].AddCheckpoint(later).Body.Span, Stopped);
        Assert.Equal(320, accepted.Checkpoint.Size);
        Assert.Equal((321, 300, 21), Sizes(policy));

        // Twice the same is no more than once.
        Assert.Throws<EvidenceException>(() => Exchange().Accept("— witness.example/w1 AAAAAAAA\n"u8, Stopped));
    }

    [Fact]
    public void An_answer_that_tells_another_size_says_how_to_ask_again()
    {
        Ask(witnesses[0]);
        log.Append(LedgerFixture.Entries(5));
        WitnessAnswer answer = witnesses[0].AddCheckpoint(Exchange().GiveOut(0, Stopped));
        Assert.Equal(409, answer.Status);
        var error = Assert.Throws<EvidenceException>(() => Exchange().Accept(answer.Body.Span, Stopped));
        Assert.Contains("--old 300", error.Message, StringComparison.Ordinal);
        error = Assert.Throws<EvidenceException>(() => Exchange().Accept("1000\n"u8, Stopped));
        Assert.Contains("This ledger has only 305", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_valid_cosignature_of_a_known_witness_is_not_kept()
    {
        byte[] request = Exchange().Request(0);
        byte[] answer = witnesses[0].AddCheckpoint(request).Body.ToArray();
        WitnessExchange other = new(log.Storage, log.Reader(), LedgerFixture.Keys.VerifierKeys, Policy(1, witnesses[1]));
        Assert.Equal(ErrorCode.WitnessFailed, Assert.Throws<EvidenceException>(() => other.Accept(answer, Stopped)).Code);
        Assert.Equal(ErrorCode.WitnessFailed, Assert.Throws<EvidenceException>(() => Exchange().Verify(answer, policy.Witnesses[1])).Code);
        for (int at = 0; at < answer.Length; at++)
        {
            byte[] wrong = [.. answer];
            wrong[at] ^= 1;
            Assert.Equal(ErrorCode.WitnessFailed, Assert.Throws<EvidenceException>(() => Exchange().Accept(wrong, Stopped)).Code);
        }

        Assert.Null(Notes.Published);
        Assert.Empty(log.Storage.List("staging/"));
        Assert.Single(Exchange().Verify(answer, policy.Witnesses[0]));
    }

    [Fact]
    public void A_ledger_that_is_set_back_behind_what_is_witnessed_is_a_rollback_and_another_history_a_fork()
    {
        var older = log.Storage.Files.ToDictionary();
        log.Append(LedgerFixture.Entries(5));
        Ask(witnesses[0]);
        Ask(witnesses[1]);
        byte[] witnessed = log.Storage.Files["witnessed"];
        // Whoever sets it back, and whoever begins another history with the log's own key, on a machine that saw nothing of it.
        var back = new LedgerFixture();
        foreach ((string name, byte[] content) in older)
            back.Storage.Files[name] = content;
        back.Storage.Files["witnessed"] = witnessed;
        var error = Assert.Throws<EvidenceException>(() => back.Reader().Witnessing(policy));
        Assert.Equal(ErrorCode.LedgerRollback, error.Code);
        Assert.Contains("305", error.Message, StringComparison.Ordinal);

        var fork = new LedgerFixture();
        fork.Append(LedgerFixture.Entries(310, "other"));
        fork.Storage.Files["witnessed"] = witnessed;
        Assert.Equal(ErrorCode.LedgerFork, Assert.Throws<EvidenceException>(() => fork.Reader().Witnessing(policy)).Code);
        // Also where nobody is trusted: the log's own signature is on it.
        Assert.Equal(ErrorCode.LedgerFork, Assert.Throws<EvidenceException>(() => fork.Reader().Witnessing(null)).Code);
    }

    [Fact]
    public void No_flipped_bit_makes_it_say_more_than_it_did()
    {
        Ask(witnesses[0]);
        Ask(witnesses[1]);
        log.Append(LedgerFixture.Entries(3));
        byte[] content = log.Storage.Files["witnessed"];
        int told = 0;
        for (int bit = 0; bit < content.Length * 8; bit++)
        {
            content[bit / 8] ^= (byte)(1 << (bit % 8));
            try
            {
                (_, long witnessed, _) = Sizes(policy);
                // A line whose key is no longer known by its name or id is passed over, as signed-note wants it; of the log's two, one is enough.
                Assert.Contains(witnessed, (long[])[0, 300]);
                told += witnessed == 0 ? 1 : 0;
            }
            catch (EvidenceException e)
            {
                Assert.True(e.Code is ErrorCode.LedgerDamaged, e.ToString());
                told++;
            }

            content[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        Assert.True(told > content.Length * 6, $"{told} of {content.Length * 8}");
    }

    /// <summary>Staging is for everybody to write to, and whoever does must not keep others from being witnessed.</summary>
    [Fact]
    public void Wrong_cosignatures_that_somebody_left_in_staging_spoil_nothing()
    {
        var note = SignedNote.Parse(log.Reader().SignedNote.Span);
        NoteSignature[] wrong = [.. witnesses.Select(w => new NoteSignature(w.Key.Name, w.Key.KeyId, new byte[72]))];
        NoteSignature[] many = [.. Enumerable.Range(0, 90).Select(i => new NoteSignature($"nobody.example/{i}", 7, new byte[72]))];
        log.Storage.Replace("staging/witness/300", SignedNote.Write(note.Text, [.. wrong, .. many]));
        Ask(witnesses[0]);
        Assert.True(Ask(witnesses[1]).IsWitnessed);
        Assert.Equal((300, 300, 0), Sizes(policy));
    }

    [Fact]
    public void A_line_of_a_known_key_that_is_wrong_and_a_file_that_is_no_checkpoint_are_told_of()
    {
        Exchange().GiveOut(0, Stopped);
        Ask(witnesses[0]);
        Assert.Empty(Exchange().Tampered());
        // One bit of each line in turn: the log's two, the witness's, and one by a key that nobody here knows.
        var note = SignedNote.Parse(log.Storage.Files["staging/witness/300"]);
        for (int i = 0; i < 4; i++)
        {
            NoteSignature[] lines = [.. note.Signatures, new NoteSignature("nobody.example", 7, new byte[72])];
            byte[] changed = lines[i].Signature.ToArray();
            changed[^1] ^= 1;
            lines[i] = lines[i] with { Signature = changed };
            log.Storage.Files["staging/witness/300"] = SignedNote.Write(note.Text, lines);
            if (i == 3)
                Assert.Empty(Exchange().Tampered());
            else
                Assert.Equal(("staging/witness/300", $"its line of {lines[i].KeyName}, key {lines[i].KeyId:x8}, is wrong"), Assert.Single(Exchange().Tampered()));
        }

        log.Storage.Files["staging/witness/12"] = "nonsense"u8.ToArray();
        Assert.Equal(("staging/witness/12", "it is no checkpoint"), Assert.Single(Exchange().Tampered()));
        Assert.Contains(Ask(witnesses[1]).Witnesses, w => w.Status == WitnessStatus.Cosigned);
    }

    [Theory]
    [InlineData(300)]
    [InlineData(120)]
    [InlineData(1)]
    public void A_witnesss_checkpoint_of_another_history_proves_it(int size)
    {
        var other = new LedgerFixture();
        other.Append(LedgerFixture.Entries(size, "other"));
        byte[] served = Serve(other);
        (WitnessConflict? conflict, string says) = Exchange().Examine(served);
        Assert.Equal(size, conflict!.Checkpoint.Size);
        Assert.Equal(served, conflict.Note.ToArray());
        Assert.Contains("two histories", says, StringComparison.Ordinal);
        // By the log's public keys alone, from the file alone.
        var proof = ForkProof.Parse(conflict.ToBytes());
        Assert.Null(proof.Check(LedgerFixture.Keys.VerifierKeys));
        Assert.EndsWith(".fork", conflict.Name, StringComparison.Ordinal);
    }

    [Fact]
    public void A_witnesss_checkpoint_of_more_entries_is_kept_and_one_that_shows_nothing_accuses_nobody()
    {
        var older = new LedgerFixture();
        older.Append(LedgerFixture.Entries(300));
        older.Append(LedgerFixture.Entries(1));
        byte[] served = Serve(older);
        (WitnessConflict? conflict, string says) = Exchange().Examine(served);
        Assert.Equal((301, null, true), (conflict!.Checkpoint.Size, conflict.Proof, served.AsSpan().SequenceEqual(conflict.ToBytes())));
        Assert.Contains("set back", says, StringComparison.Ordinal);

        byte[] beginning = Serve(log);
        log.Append(LedgerFixture.Entries(1, "later"));
        using LogKeys strangers = LogKeys.Create(LedgerFixture.Origin);
        using LogKeys another = LogKeys.Create("another.example/log");
        foreach ((byte[] shows, string expected) in ((byte[], string)[])
            [
                (beginning, "is the beginning of this ledger"), (strangers.Sign(new Checkpoint(LedgerFixture.Origin, 5, default)), "not signed by this log's keys"),
                (another.Sign(new Checkpoint("another.example/log", 5, default)), "not signed by this log's keys"), ("nonsense"u8.ToArray(), "is none"), ([], "is none"),
            ])
        {
            (conflict, says) = Exchange().Examine(shows);
            Assert.Null(conflict);
            Assert.Contains(expected, says, StringComparison.Ordinal);
            Assert.Contains("nothing proves", says, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Proofs_against_a_log_are_kept_once_each_and_not_without_end()
    {
        var keys = new KeyStore(Path.Combine(folder.Path, "keys"));
        string[] kept = [.. Enumerable.Range(0, 16).Select(i => keys.KeepConflict(LedgerFixture.Origin, $"{i}.fork", [(byte)i])!)];
        Assert.Null(keys.KeepConflict(LedgerFixture.Origin, "more.fork", [1]));
        Assert.Equal(kept[3], keys.KeepConflict(LedgerFixture.Origin, "3.fork", [99]));
        Assert.Equal([3], File.ReadAllBytes(kept[3]));
        Assert.NotNull(keys.KeepConflict("another.example/log", "1.fork", [1]));
    }

    [Fact]
    public void An_answer_is_signature_lines_and_nothing_else()
    {
        byte[] right = witnesses[0].AddCheckpoint(Exchange().Request(0)).Body.ToArray();
        Assert.Single(SignedNote.ParseLines(right));
        Assert.Throws<FormatException>(() => SignedNote.ParseLines([.. "anything\n\n"u8, .. right]));
        Assert.Throws<FormatException>(() => SignedNote.ParseLines([.. "\n"u8, .. right]));
    }

    [Fact]
    public void Many_requests_that_nobody_answers_do_not_pile_up()
    {
        for (int i = 0; i < 105; i++)
        {
            log.Append(LedgerFixture.Entries(1, $"n{i}"));
            Exchange().GiveOut(0, Stopped);
        }

        Assert.Equal(100, log.Storage.List("staging/witness/").Count);
    }

    public void Dispose()
    {
        foreach (Witness witness in witnesses)
            witness.Dispose();
        folder.Dispose();
    }

    private static WitnessPolicy Policy(int threshold, params Witness[] known) => WitnessPolicy.Parse(Encoding.UTF8.GetBytes(
        string.Concat(known.Select((witness, i) => $"witness W{i + 1} {witness.Key}\n")) +
        $"group all-of-them {threshold} {string.Join(' ', known.Select((_, i) => $"W{i + 1}"))}\nquorum all-of-them\n"));

    private Witness Open(KeyStore keys, string name)
    {
        keys.CreateWitness(name).Dispose();
        return Witness.Open(keys, name, Path.Combine(folder.Path, name), LedgerFixture.Keys.VerifierKeys);
    }

    /// <summary>A log's checkpoint as a witness of a machine of its own gives it.</summary>
    private byte[] Serve(LedgerFixture of)
    {
        string name = $"witness.example/{Guid.NewGuid():N}";
        var keys = new KeyStore(Path.Combine(folder.Path, "keys"));
        using Witness witness = Open(keys, name);
        CustodyLedger ledger = of.Reader();
        Assert.Equal(200, witness.AddCheckpoint(AddCheckpointRequest.Write(0, [], ledger.SignedNote.Span)).Status);
        return witness.GetCheckpoint(WitnessState.HashOf(LedgerFixture.Origin)).Body.ToArray();
    }

    private WitnessExchange Exchange() => new(log.Storage, log.Reader(), LedgerFixture.Keys.VerifierKeys, policy);

    private PolicyVerdict Ask(Witness witness)
    {
        WitnessExchange exchange = Exchange();
        PolicyWitness known = policy.Witnesses.First(w => w.Key.Equals(witness.Key));
        WitnessAnswer answer = witness.AddCheckpoint(exchange.Request(exchange.LastSizeOf(known)));
        Assert.Equal(200, answer.Status);
        return exchange.Keep(exchange.Verify(answer.Body.Span, known), Stopped);
    }

    private (long Size, long Witnessed, long Tail) Sizes(WitnessPolicy? by)
    {
        LedgerWitnessing witnessing = log.Reader().Witnessing(by);
        return (witnessing.LedgerSize, witnessing.Size, witnessing.Tail);
    }
}
