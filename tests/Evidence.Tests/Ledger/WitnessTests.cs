using System.Globalization;
using System.Text;
using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Ledger.Witnesses;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Evidence.Tests.Ledger;

/// <summary>What a witness answers, in the order of c2sp.org/tlog-witness, and what it keeps.</summary>
public sealed class WitnessTests : IDisposable
{
    private const string Name = "witness.example/w";

    private readonly TemporaryFolder folder = new();
    private readonly LedgerFixture log = new();
    private readonly KeyStore keys;
    private readonly VerifierKey key;

    public WitnessTests()
    {
        keys = new KeyStore(Path.Combine(folder.Path, "keys"));
        using WitnessKey made = keys.CreateWitness(Name);
        key = made.VerifierKey;
        log.Append(LedgerFixture.Entries(5));
    }

    private string State => Path.Combine(folder.Path, "state");

    [Fact]
    public void A_log_is_cosigned_as_it_grows_and_the_last_checkpoint_is_served()
    {
        using Witness witness = Open();
        Assert.Equal(404, witness.GetCheckpoint(HashOf(LedgerFixture.Origin)).Status);
        long old = 0;
        foreach (int count in (int[])[0, 1, 2, 250, 300])
        {
            if (count > 0)
                log.Append(LedgerFixture.Entries(count));
            CustodyLedger ledger = log.Reader();
            WitnessAnswer answer = witness.AddCheckpoint(Request(old));
            Assert.Equal(200, answer.Status);
            Assert.Equal(1, answer.Text.Count(c => c == '\n'));
            byte[] note = [.. ledger.SignedNote.Span, .. answer.Body.Span];
            Assert.Equal([key], NoteVerifier.Verify(SignedNote.Parse(note), [key]).Verified);
            // It was the last line that was added, and the log's two stay.
            Assert.Equal(Encoding.UTF8.GetString(note), witness.GetCheckpoint(HashOf(LedgerFixture.Origin)).Text);
            old = ledger.Size;
            // The same once more: nothing is new, but the witness says again that it is the last.
            Assert.Equal(200, witness.AddCheckpoint(Request(old)).Status);
        }

        Assert.Equal(404, witness.GetCheckpoint(HashOf("another")).Status);
    }

    [Fact]
    public void The_answers_come_in_the_protocols_order()
    {
        using Witness witness = Open();
        Assert.Equal(200, witness.AddCheckpoint(Request(0)).Status);
        var other = new LedgerFixture { Seen = new MemorySeen() };
        other.Append(LedgerFixture.Entries(5, "other"));
        byte[] fork = other.Reader().SignedNote.ToArray();
        byte[] note = log.Reader().SignedNote.ToArray();
        byte[] badSignature = [.. note];
        int digit = badSignature.AsSpan().LastIndexOf((byte)' ') + 20;
        badSignature[digit] = badSignature[digit] == (byte)'A' ? (byte)'B' : (byte)'A';

        // Unknown origin, before anything else.
        Expect(404, witness, AddCheckpointRequest.Write(9, [], Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(badSignature).Replace("vault/1", "vault/2", StringComparison.Ordinal))));
        // A bad signature, although the old size is above the new one. One line that fails beside a good one is enough.
        Expect(403, witness, AddCheckpointRequest.Write(9, [], badSignature));
        using var stranger = LogKeys.Create(LedgerFixture.Origin);
        Expect(403, witness, AddCheckpointRequest.Write(5, [], stranger.Sign(new Checkpoint(LedgerFixture.Origin, 5, log.Reader().Root))));
        // Old above new, although it is not the recorded one either.
        Expect(400, witness, AddCheckpointRequest.Write(9, [], note));
        // Another old size than the recorded one, although the proof is wrong.
        WitnessAnswer conflict = Expect(409, witness, AddCheckpointRequest.Write(4, [MerkleTree.EmptyRoot], note));
        Assert.Equal(("text/x.tlog.size", "5\n"), (conflict.ContentType, conflict.Text));
        Expect(409, witness, AddCheckpointRequest.Write(0, [], note));
        // The same size with another root.
        Expect(422, witness, AddCheckpointRequest.Write(5, [], fork));
        // A proof where there is none.
        Expect(422, witness, AddCheckpointRequest.Write(5, [MerkleTree.EmptyRoot], note));
        log.Append(LedgerFixture.Entries(3));
        CustodyLedger ledger = log.Reader();
        Sha256Digest[] proof = ledger.ProveConsistency(5);
        Expect(422, witness, AddCheckpointRequest.Write(5, proof[..^1], ledger.SignedNote.Span));
        Expect(422, witness, AddCheckpointRequest.Write(5, [.. proof, proof[0]], ledger.SignedNote.Span));
        Expect(200, witness, AddCheckpointRequest.Write(5, proof, ledger.SignedNote.Span));
        Expect(409, witness, AddCheckpointRequest.Write(5, proof, ledger.SignedNote.Span));
    }

    [Fact]
    public void From_nothing_there_is_no_proof_and_an_empty_log_has_the_empty_root()
    {
        using Witness witness = Open();
        Expect(422, witness, AddCheckpointRequest.Write(0, [MerkleTree.EmptyRoot], log.Reader().SignedNote.Span));
        Expect(422, witness, AddCheckpointRequest.Write(0, [], LedgerFixture.Keys.Sign(new Checkpoint(LedgerFixture.Origin, 0, log.Reader().Root))));
        Expect(200, witness, AddCheckpointRequest.Write(0, [], LedgerFixture.Keys.Sign(new Checkpoint(LedgerFixture.Origin, 0, MerkleTree.EmptyRoot))));
        Expect(200, witness, Request(0));
    }

    [Fact]
    public void What_is_no_request_is_refused_by_its_line()
    {
        using Witness witness = Open();
        string right = Encoding.UTF8.GetString(Request(0));
        foreach ((string from, string to) in ((string, string)[])[
            ("old 0\n", "old 00\n"), ("old 0\n", "old -1\n"), ("old 0\n", "old 9223372036854775808\n"), ("old 0\n", "Old 0\n"), ("old 0\n", ""), ("old 0\n\n", "old 0\n"),
            ("old 0\n", "old 0\nAAAA\n"), ("old 0\n", "old 0\n" + string.Concat(Enumerable.Repeat(Convert.ToBase64String(new byte[32]) + "\n", 64))),
            ("\n5\n", "\n05\n"), ("\n5\n", "\n5\nextension\n")])
        {
            Assert.Contains(from, right, StringComparison.Ordinal);
            Expect(400, witness, Encoding.UTF8.GetBytes(right.Replace(from, to, StringComparison.Ordinal)));
        }

        Expect(400, witness, []);
        Expect(400, witness, new byte[AddCheckpointRequest.MaximumLength + 1]);
        Assert.Equal(404, witness.GetCheckpoint(HashOf(LedgerFixture.Origin)).Status);
    }

    [Fact]
    public void However_a_request_is_mangled_nothing_but_the_logs_own_history_is_cosigned()
    {
        using Witness witness = Open();
        Expect(200, witness, Request(0));
        log.Append(LedgerFixture.Entries(7));
        byte[] right = Request(5);
        Prop.ForAll<(int At, byte Value, int Cut)[]>(changes =>
        {
            byte[] body = [.. right];
            foreach ((int at, byte value, int cut) in changes)
            {
                if (body.Length == 0)
                    break;
                body[(at & int.MaxValue) % body.Length] = value;
                if (cut % 7 == 0)
                    body = body[..((cut & int.MaxValue) % body.Length)];
            }

            WitnessAnswer answer = witness.AddCheckpoint(body);
            Assert.True(answer.Status != 200 || body.AsSpan().SequenceEqual(right) || Encoding.UTF8.GetString(body).Contains(log.Reader().Checkpoint.ToText(), StringComparison.Ordinal));
            Assert.Contains(Recorded(witness), (long[])[5, 12]);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Of_two_histories_the_second_is_kept_as_proof_a_few_times_and_never_cosigned()
    {
        using Witness witness = Open();
        Expect(200, witness, Request(0));
        for (int i = 0; i < 20; i++)
        {
            var root = MerkleTree.LeafHash(BitConverter.GetBytes(i));
            Expect(422, witness, AddCheckpointRequest.Write(5, [], LedgerFixture.Keys.Sign(new Checkpoint(LedgerFixture.Origin, 5, root))));
        }

        string[] kept = Directory.GetFiles(Path.Combine(State, "logs", HashOf(LedgerFixture.Origin), "conflicts"));
        Assert.Equal(16, kept.Length);
        Assert.All(kept, path => Assert.True(NoteVerifier.Verify(SignedNote.Parse(File.ReadAllBytes(path)), LedgerFixture.Keys.VerifierKeys).IsAccepted));
        Assert.Equal(5, Recorded(witness));
    }

    [Fact]
    public void Many_lines_of_the_logs_key_do_not_fill_what_is_kept()
    {
        using (Witness witness = Open())
        {
            var note = SignedNote.Parse(log.Reader().SignedNote.Span);
            byte[] many = SignedNote.Write(note.Text, Enumerable.Repeat(note.Signatures[0], SignedNote.MaximumSignatures));
            Expect(200, witness, AddCheckpointRequest.Write(0, [], many));
        }

        using Witness again = Open();
        Assert.Equal(5, Recorded(again));
    }

    [Fact]
    public void What_was_signed_outlives_the_process_and_another_process_is_kept_out()
    {
        using (Witness witness = Open())
        {
            Expect(200, witness, Request(0));
            Assert.Equal(ErrorCode.WitnessBusy, Assert.Throws<EvidenceException>(Open).Code);
        }

        using Witness again = Open();
        Expect(409, again, Request(0));
        Expect(200, again, Request(5));
    }

    [Fact]
    public void Damage_to_what_was_signed_is_told_and_nothing_more_is_signed()
    {
        string record = Path.Combine(State, "logs", HashOf(LedgerFixture.Origin), "checkpoint");
        using (Witness witness = Open())
            Expect(200, witness, Request(0));
        byte[] right = File.ReadAllBytes(record);
        for (int at = 0; at < right.Length; at += 3)
        {
            byte[] wrong = [.. right];
            wrong[at] ^= 1;
            File.WriteAllBytes(record, wrong);
            try
            {
                using Witness witness = Open();
                // A line of the log's may be lost in the damage; another is left, and the record is the same.
                Assert.Equal(5, Recorded(witness));
                Assert.Equal(log.Reader().Root, Checkpoint.Parse(SignedNote.Parse(wrong).Text).Root);
            }
            catch (EvidenceException e)
            {
                Assert.Equal(ErrorCode.WitnessStateInvalid, e.Code);
                Assert.Contains(record, e.Message, StringComparison.Ordinal);
            }
        }

        File.WriteAllBytes(record, right);
        using (Witness witness = Open())
        {
            File.WriteAllBytes(record, [.. right[..10], 7]);
            Assert.Throws<EvidenceException>(() => witness.AddCheckpoint(Request(5)));
            Assert.Throws<EvidenceException>(() => witness.GetCheckpoint(HashOf(LedgerFixture.Origin)));
        }
    }

    [Fact]
    public void One_key_keeps_what_it_signed_in_one_folder()
    {
        Open().Dispose();
        var error = Assert.Throws<EvidenceException>(() => Witness.Open(keys, Name, Path.Combine(folder.Path, "another"), LedgerFixture.Keys.VerifierKeys));
        Assert.Equal(ErrorCode.WitnessStateInvalid, error.Code);
        Assert.Contains(State, error.Message, StringComparison.Ordinal);
        // Moved, it is the same one.
        Directory.Move(State, State + ".moved");
        Witness.Open(keys, Name, State + ".moved", LedgerFixture.Keys.VerifierKeys).Dispose();
        Assert.Throws<EvidenceException>(Open);
    }

    [Fact]
    public async Task Sixty_four_at_once_never_set_it_back()
    {
        using Witness witness = Open();
        for (int i = 0; i < 40; i++)
            log.Append(LedgerFixture.Entries(1, $"n{i}"));
        CustodyLedger ledger = log.Reader();
        byte[][] notes = [.. Enumerable.Range(0, 46).Select(size => LedgerFixture.Keys.Sign(new Checkpoint(LedgerFixture.Origin, size, ledger.RootAt(size))))];
        long largest = 0;
        await Task.WhenAll(Enumerable.Range(0, 64).Select(n => Task.Run(() =>
        {
            for (int i = 0; i < 40; i++)
            {
                long old = Volatile.Read(ref largest);
                int next = (int)Math.Min(old + 1 + ((n + i) % 3), 45);
                WitnessAnswer answer = witness.AddCheckpoint(AddCheckpointRequest.Write(old, ledger.ProveConsistency(old, next), notes[next]));
                Assert.True(answer.Status is 200 or 409, answer.Text);
                if (answer.Status != 200)
                    continue;
                Raise(ref largest, next);
                Assert.True(Recorded(witness) >= next);
            }
        }, TestContext.Current.CancellationToken)));
        Assert.Equal(45, Recorded(witness));
    }

    [Fact]
    public void By_files_the_answers_are_the_same()
    {
        using Witness witness = Open();
        string request = Path.Combine(folder.Path, "request");
        string answer = Path.Combine(folder.Path, "answer");
        File.WriteAllBytes(request, Request(0));
        Assert.Equal(200, witness.AnswerFile(request, answer).Status);
        Assert.StartsWith("— witness.example/w ", File.ReadAllText(answer), StringComparison.Ordinal);
        Assert.Equal(409, witness.AnswerFile(request, answer).Status);
        Assert.Equal("5\n", File.ReadAllText(answer));
        File.Delete(answer);
        File.WriteAllBytes(request, Request(0)[..^9]);
        Assert.Equal(ErrorCode.WitnessFailed, Assert.Throws<EvidenceException>(() => witness.AnswerFile(request, answer)).Code);
        Assert.False(File.Exists(answer));
    }

    [Fact]
    public void Keys_of_witnesses_are_made_by_intent_and_listed()
    {
        Assert.Equal([Name], keys.ListWitnesses(), StringComparer.Ordinal);
        Assert.Equal(ErrorCode.DestinationInvalid, Assert.Throws<EvidenceException>(() => keys.CreateWitness(Name)).Code);
        Assert.Equal(ErrorCode.Usage, Assert.Throws<EvidenceException>(() => keys.CreateWitness("two words")).Code);
        Assert.Equal(ErrorCode.KeyMissing, Assert.Throws<EvidenceException>(() => keys.LoadWitness("another")).Code);
        using WitnessKey loaded = keys.LoadWitness(Name);
        Assert.Equal(key, loaded.VerifierKey);
    }

    [Fact]
    public void A_folder_that_holds_other_things_loses_none_of_them()
    {
        string mine = Path.Combine(State, "tmp", "mine.txt");
        Directory.CreateDirectory(Path.GetDirectoryName(mine)!);
        File.WriteAllText(mine, "not the witness's");
        using Witness witness = Open();
        Assert.True(File.Exists(mine));
    }

    /// <summary>As of its time, a cosignature says, this was the largest: with a clock that was set back, a larger one would be from before a smaller one.</summary>
    [Fact]
    public void The_times_of_cosignatures_do_not_go_back()
    {
        var clock = new FakeClock(NodaTime.Instant.FromUtc(2026, 5, 1, 12, 0));
        using var witness = Witness.Open(keys, Name, State, LedgerFixture.Keys.VerifierKeys, clock);
        Assert.Equal(clock.Now, TimeOf(witness, 0));
        NodaTime.Instant first = clock.Now;
        clock.Now -= NodaTime.Duration.FromHours(1);
        log.Append(LedgerFixture.Entries(3));
        Assert.Equal(first, TimeOf(witness, 5));
        clock.Now = first + NodaTime.Duration.FromHours(1);
        Assert.Equal(clock.Now, TimeOf(witness, 8));
    }

    private NodaTime.Instant TimeOf(Witness witness, long old)
    {
        byte[] request = Request(old);
        var note = SignedNote.Parse([.. log.Reader().SignedNote.Span, .. Expect(200, witness, request).Body.Span]);
        return Assert.Single(Cosignature.Read(note, NoteVerifier.Verify(note, [key]))).Time;
    }

    private sealed class FakeClock(NodaTime.Instant now) : NodaTime.IClock
    {
        public NodaTime.Instant Now { get; set; } = now;

        public NodaTime.Instant GetCurrentInstant() => Now;
    }

    public void Dispose() => folder.Dispose();

    private static void Raise(ref long value, long to)
    {
        long before;
        while ((before = Volatile.Read(ref value)) < to)
            Interlocked.CompareExchange(ref value, to, before);
    }

    private static long Recorded(Witness witness) =>
        Checkpoint.Parse(SignedNote.Parse(witness.GetCheckpoint(HashOf(LedgerFixture.Origin)).Body.Span).Text).Size;

    private static string HashOf(string origin) => Sha256Digest.Compute(Encoding.UTF8.GetBytes(origin)).ToString();

    private static WitnessAnswer Expect(int status, Witness witness, byte[] request)
    {
        WitnessAnswer answer = witness.AddCheckpoint(request);
        Assert.True(status == answer.Status, string.Create(CultureInfo.InvariantCulture, $"{answer.Status}, not {status}: {answer.Text}"));
        return answer;
    }

    private byte[] Request(long old)
    {
        CustodyLedger ledger = log.Reader();
        return AddCheckpointRequest.Write(old, ledger.ProveConsistency(old), ledger.SignedNote.Span);
    }

    private Witness Open() => Witness.Open(keys, Name, State, LedgerFixture.Keys.VerifierKeys);
}
