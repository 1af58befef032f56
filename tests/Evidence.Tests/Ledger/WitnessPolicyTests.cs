using System.Text;
using Evidence.Ledger;
using Evidence.Ledger.Witnesses;
using NodaTime;
using Xunit;

namespace Evidence.Tests.Ledger;

public sealed class WitnessPolicyTests
{
    private static readonly Instant Time = Instant.FromUtc(2026, 3, 4, 5, 6, 7);

    private static readonly WitnessKey[] Keys = [.. Enumerable.Range(1, 6).Select(n => WitnessKey.Create($"witness.example/w{n}"))];

    private static readonly string Log = LedgerFixture.Keys.Ed25519Key.ToString();

    private static readonly Checkpoint Checkpoint = new(LedgerFixture.Origin, 0, Evidence.Hashing.MerkleTree.EmptyRoot);

    // The example of c2sp.org/tlog-policy, with keys.
    private static string Example =>
        $"""
        # a comment
        log {Log}

        witness X1 {Keys[0].VerifierKey}
        witness X2 {Keys[1].VerifierKey} https://x2.example/prefix
        	witness  X3	{Keys[2].VerifierKey}  
        group X-witnesses 2 X1 X2 X3

        witness Y1 {Keys[3].VerifierKey}
        witness Y2 {Keys[4].VerifierKey}
        witness Y3 {Keys[5].VerifierKey}
        group Y-witnesses any Y1 Y2 Y3

        group X-and-Y all X-witnesses Y-witnesses
        quorum X-and-Y

        """;

    [Fact]
    public void The_specifications_example_is_read()
    {
        WitnessPolicy policy = Parse(Example);
        Assert.Equal([LedgerFixture.Keys.Ed25519Key], policy.KeysOf(LedgerFixture.Origin));
        Assert.Empty(policy.KeysOf("another.example/log"));
        Assert.Equal(["X1", "X2", "X3", "Y1", "Y2", "Y3"], policy.Witnesses.Select(w => w.Name), StringComparer.Ordinal);
        Assert.Equal([null, "https://x2.example/prefix", null, null, null, null], policy.Witnesses.Select(w => w.Url), StringComparer.Ordinal);
        Assert.Equal([("X-witnesses", 2), ("Y-witnesses", 1), ("X-and-Y", 2)], policy.Groups.Select(g => (g.Name, g.Threshold)));
        Assert.Equal("X-and-Y", policy.Quorum);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(3, 1)]
    [InlineData(3, 3)]
    public void What_is_written_is_read_as_it_was_meant(int witnesses, int quorum)
    {
        PolicyWitness[] known = [.. Keys.Take(witnesses).Select((key, n) => new PolicyWitness($"w{n}", key.VerifierKey, n == 1 ? null : "https://w.example/prefix"))];
        var policy = WitnessPolicy.Parse(WitnessPolicy.Write([LedgerFixture.Keys.Ed25519Key], known, quorum));
        Assert.Equal(known, policy.Witnesses);
        Assert.Equal([LedgerFixture.Keys.Ed25519Key], policy.KeysOf(LedgerFixture.Origin));
        for (int cosigned = 0; cosigned <= witnesses; cosigned++)
        {
            PolicyVerdict verdict = policy.Judge(Note([.. Keys.Take(cosigned)]));
            Assert.Equal(witnesses > 0 && cosigned >= quorum, verdict.IsWitnessed);
            Assert.Equal(cosigned >= quorum, verdict.IsAccepted);
        }
    }

    [Theory]
    [InlineData(2, 0)]
    [InlineData(2, 3)]
    [InlineData(0, 1)]
    [InlineData(1, -1)]
    [InlineData(1, 2)]
    public void A_quorum_that_is_none_of_theirs_is_not_written(int witnesses, int quorum) => Assert.Throws<FormatException>(
        () => WitnessPolicy.Write([LedgerFixture.Keys.Ed25519Key], [.. Keys.Take(witnesses).Select((key, n) => new PolicyWitness($"w{n}", key.VerifierKey, null))], quorum));

    [Theory]
    [InlineData("two words", null)]
    [InlineData("none", null)]
    [InlineData("witness\nquorum", null)]
    [InlineData("", null)]
    [InlineData("w", "ftp://w.example/")]
    [InlineData("w", "https://w.example/ x")]
    public void What_would_be_read_as_something_else_is_not_written(string name, string? url) =>
        Assert.Throws<FormatException>(() => WitnessPolicy.Write([], [new PolicyWitness(name, Keys[0].VerifierKey, url)], 1));

    [Fact]
    public void Two_names_that_read_the_same_are_not_two()
    {
        byte[] policy = Encoding.Latin1.GetBytes($"witness \u00ff {Keys[0].VerifierKey}\nwitness \\xff {Keys[1].VerifierKey}\ngroup g all \u00ff \\xff\nquorum g\n");
        Assert.Throws<FormatException>(() => WitnessPolicy.Parse(policy));
    }

    [Fact]
    public void Of_every_set_of_cosignatures_the_quorum_is_told_right()
    {
        WitnessPolicy policy = Parse(Example);
        for (int set = 0; set < 64; set++)
        {
            PolicyVerdict verdict = policy.Judge(Note(Keys.Where((_, i) => (set >> i & 1) == 1)));
            bool expected = int.PopCount(set & 7) >= 2 && (set >> 3) != 0;
            Assert.Equal(expected, verdict.IsWitnessed);
            Assert.Equal(expected, verdict.IsAccepted);
            Assert.True(verdict.IsSigned);
            Assert.Equal(Enumerable.Range(0, 6).Select(i => (set >> i & 1) == 1 ? WitnessStatus.Cosigned : WitnessStatus.Absent), verdict.Witnesses.Select(w => w.Status));
            Assert.Contains($"The quorum is X-and-Y: {(expected ? "it cosigned" : "it did not cosign")}.", verdict.Explanation, StringComparer.Ordinal);
            Assert.All(verdict.Witnesses, w => Assert.Equal(w.Status == WitnessStatus.Cosigned ? Time : null, w.Time));
        }

        string[] sentences = [.. policy.Judge(Note([Keys[0], Keys[4]])).Explanation];
        Assert.Contains("Group X-witnesses wants 2 of 3, and has 1: X1; without X2, X3.", sentences, StringComparer.Ordinal);
        Assert.Contains("Witness Y2 cosigned at 2026-03-04T05:06:07.000000000Z, by its own clock.", sentences, StringComparer.Ordinal);
        Assert.Contains("Witness Y1 did not cosign.", sentences, StringComparer.Ordinal);
    }

    [Fact]
    public void Cosignatures_do_not_stand_in_for_the_logs_signature()
    {
        byte[] text = Encoding.UTF8.GetBytes(Checkpoint.ToText());
        PolicyVerdict verdict = Parse(Example).Judge(SignedNote.Parse(SignedNote.Write(Checkpoint.ToText(), Keys.Select(key => key.Cosign(Checkpoint.ToText(), Time)))));
        Assert.False(verdict.IsSigned || verdict.IsWitnessed || verdict.IsAccepted);
        Assert.NotEmpty(text);
        // Nor does another log's, where the policy knows logs.
        PolicyVerdict unknown = Parse(Example.Replace(Log, OtherLog().Ed25519Key.ToString(), StringComparison.Ordinal)).Judge(Note(Keys), LedgerFixture.Keys.VerifierKeys);
        Assert.False(unknown.IsSigned || unknown.IsWitnessed || unknown.IsAccepted);
    }

    [Fact]
    public void A_policy_without_logs_takes_the_keys_that_it_is_given()
    {
        WitnessPolicy policy = Parse(Example.Replace($"log {Log}\n", "", StringComparison.Ordinal));
        Assert.True(policy.Judge(Note(Keys), LedgerFixture.Keys.VerifierKeys).IsWitnessed);
        Assert.False(policy.Judge(Note(Keys)).IsAccepted);
    }

    [Fact]
    public void A_policy_that_wants_no_witness_finds_nothing_witnessed()
    {
        WitnessPolicy policy = Parse($"log {Log}\nwitness W {Keys[0].VerifierKey}\nquorum none\n");
        PolicyVerdict verdict = policy.Judge(Note(Keys));
        Assert.Null(policy.Quorum);
        Assert.True(verdict.IsAccepted);
        Assert.False(verdict.IsWitnessed);
    }

    [Fact]
    public void One_wrong_cosignature_of_a_known_witness_condemns_the_whole_note()
    {
        NoteSignature wrong = Keys[5].Cosign(Checkpoint.ToText() + "x", Time);
        PolicyVerdict verdict = Parse(Example).Judge(Note(Keys[..5], wrong));
        Assert.Equal(WitnessStatus.Wrong, verdict.Witnesses[5].Status);
        Assert.False(verdict.IsSigned || verdict.IsWitnessed || verdict.IsAccepted);
        // Of an unknown one it is passed over.
        WitnessPolicy without = Parse(Example.Replace($"witness Y3 {Keys[5].VerifierKey}\n", "", StringComparison.Ordinal).Replace(" Y3\n", "\n", StringComparison.Ordinal));
        Assert.True(without.Judge(Note(Keys[..5], wrong)).IsWitnessed);
    }

    [Fact]
    public void Every_bit_of_a_cosignature_counts_its_time_too()
    {
        WitnessPolicy policy = Parse($"log {Log}\nwitness W {Keys[0].VerifierKey}\nquorum W\n");
        NoteSignature right = Keys[0].Cosign(Checkpoint.ToText(), Time);
        Assert.Equal(72, right.Signature.Length);
        Assert.True(policy.Judge(Note([], right)).IsWitnessed);
        for (int bit = 0; bit < 72 * 8; bit++)
        {
            byte[] flipped = right.Signature.ToArray();
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Equal(WitnessStatus.Wrong, policy.Judge(Note([], right with { Signature = flipped })).Witnesses[0].Status);
        }

        Assert.Equal(WitnessStatus.Wrong, policy.Judge(Note([], right with { Signature = right.Signature[..71] })).Witnesses[0].Status);
    }

    [Fact]
    public void Of_two_cosignatures_of_one_witness_the_earlier_time_counts()
    {
        WitnessPolicy policy = Parse($"log {Log}\nwitness W {Keys[0].VerifierKey}\nquorum W\n");
        NoteSignature later = Keys[0].Cosign(Checkpoint.ToText(), Time + Duration.FromHours(1));
        Assert.Equal(Time, policy.Judge(Note([Keys[0]], later)).Witnesses[0].Time);
    }

    [Fact]
    public void It_was_witnessed_when_the_last_one_that_the_quorum_needed_had_cosigned()
    {
        WitnessPolicy policy = Parse(Example);
        // X1 at 0, X2 at 5, X3 at 2, Y1 at 9, Y2 at 3 hours: with X1, X3 and Y2 there is a quorum.
        int[] hours = [0, 5, 2, 9, 3];
        NoteSignature[] cosigned = [.. hours.Select((hour, i) => Keys[i].Cosign(Checkpoint.ToText(), Time + Duration.FromHours(hour)))];
        Assert.Equal(Time + Duration.FromHours(3), policy.Judge(Note([], cosigned)).WitnessedBy);
        Assert.Equal(Time + Duration.FromHours(9), policy.Judge(Note([], cosigned[..4])).WitnessedBy);
        Assert.Null(policy.Judge(Note([], cosigned[..3])).WitnessedBy);
    }

    // c2sp.org/tlog-cosignature's format, by a key whose seed is 32 zero bytes (RFC 8032 gives no such vector, OpenSSL does).
    [Fact]
    public void A_cosignature_is_over_the_two_lines_and_the_text()
    {
        NoteSignature signature = Keys[0].Cosign(Checkpoint.ToText(), Instant.FromUnixTimeSeconds(1_679_315_147));
        byte[] message = Encoding.UTF8.GetBytes($"cosignature/v1\ntime 1679315147\n{Checkpoint.ToText()}");
        Assert.Equal([0, 0, 0, 0, 0x64, 0x18, 0x50, 0xCB], signature.Signature[..8].ToArray());
        Assert.True(Ed25519.Verify(Keys[0].VerifierKey.Key, message, signature.Signature.Span[8..]));
    }

    [Fact]
    public void A_witnesss_key_is_no_logs_key()
    {
        string vkey = Keys[0].VerifierKey.ToString();
        Assert.Equal(Keys[0].VerifierKey, VerifierKey.Parse(vkey));
        Assert.Throws<FormatException>(() => VerifierKey.ParseLogKey(vkey));
        Assert.Equal(Keys[0].VerifierKey, WitnessKey.Import("witness.example/w1", Keys[0].ExportPem()).VerifierKey);
        Assert.Throws<ArgumentException>(() => WitnessKey.Create("two words"));
    }

    public static TheoryData<string, string> Wrong => new()
    {
        { "", "has no line 'quorum'" },
        { "quorum none", "Line 1 of the policy does not end in a line feed" },
        { "quorum none\nquorum none\n", "Line 2 of the policy is a second quorum" },
        { "quorum W\n", "Line 1 of the policy names 'W'" },
        { "\n# x\nquorum a b\n", "Line 3 of the policy has too few or too many items for 'quorum'" },
        { "quorum\n", "Line 1 of the policy has too few" },
        { "quorum none\r\n", "Line 1 of the policy holds a control character" },
        { "quorum none\u007f\n", "Line 1 of the policy holds a control character" },
        { "Quorum none\n", "Line 1 of the policy is neither" },
        { "log\n", "Line 1 of the policy has too few" },
        { "log nonsense\n", "Line 1 of the policy names a key that cannot be read" },
        { $"log {Log} ftp://x\n", "Line 1 of the policy names 'ftp://x', which is no URL" },
        { $"log {Log}\nlog {Log}\n", "Line 2 of the policy names a log's key a second time" },
        { $"log {Keys[0].VerifierKey}\n", "Line 1 of the policy names a witness's key as a log's" },
        { $"witness W {Log}\n", "Line 1 of the policy names a key that makes no cosignatures" },
        { $"witness W {Keys[0].VerifierKey}\nwitness V {Keys[0].VerifierKey}\n", "Line 2 of the policy names a witness's key a second time" },
        { $"witness W {Keys[0].VerifierKey}\nwitness V {WitnessKey.Import("other.name", Keys[0].ExportPem()).VerifierKey}\n", "Line 2 of the policy names a witness's key a second time" },
        { $"witness W {Keys[0].VerifierKey}\nwitness W {Keys[1].VerifierKey}\n", "Line 2 of the policy defines 'W' a second time" },
        { $"witness none {Keys[0].VerifierKey}\n", "Line 1 of the policy defines 'none'" },
        { $"witness W {Keys[0].VerifierKey}\ngroup W any W\n", "Line 2 of the policy defines 'W' a second time" },
        { $"witness W {Keys[0].VerifierKey}\ngroup G any\n", "Line 2 of the policy has too few" },
        { $"witness W {Keys[0].VerifierKey}\ngroup G 2 W\n", "Line 2 of the policy wants neither" },
        { $"witness W {Keys[0].VerifierKey}\ngroup G 0 W\n", "Line 2 of the policy wants neither" },
        { $"witness W {Keys[0].VerifierKey}\ngroup G 01 W\n", "Line 2 of the policy wants neither" },
        { $"witness W {Keys[0].VerifierKey}\ngroup G any W W\n", "Line 2 of the policy names 'W', which is a member of a group already" },
        { $"witness W {Keys[0].VerifierKey}\ngroup G any W\ngroup H any W\n", "Line 3 of the policy names 'W', which is a member of a group already" },
        { $"witness W {Keys[0].VerifierKey}\ngroup G any G\n", "Line 2 of the policy names 'G', which no line before it defines" },
        { $"witness W {Keys[0].VerifierKey}\ngroup G any none\n", "Line 2 of the policy names 'none', which no line before it defines" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void What_is_no_policy_is_refused_by_its_line(string text, string reason) =>
        Assert.Contains(reason, Assert.Throws<FormatException>(() => Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Names_are_byte_strings()
    {
        // K, the Kelvin sign, and a byte that is no UTF-8: three names, as the specification has it.
        byte[] policy =
        [
            .. Encoding.UTF8.GetBytes($"witness K {Keys[0].VerifierKey}\nwitness \u212a {Keys[1].VerifierKey}\nwitness "), 0xE2,
            .. Encoding.UTF8.GetBytes($" {Keys[2].VerifierKey}\ngroup G all K \u212a "), 0xE2, .. "\nquorum G\n"u8,
        ];
        Assert.Equal(3, WitnessPolicy.Parse(policy).Groups[0].Threshold);
    }

    private static WitnessPolicy Parse(string text) => WitnessPolicy.Parse(Encoding.UTF8.GetBytes(text));

    private static LogKeys OtherLog() => LogKeys.Create(LedgerFixture.Origin);

    private static SignedNote Note(IEnumerable<WitnessKey> witnesses, params NoteSignature[] more)
    {
        var signed = SignedNote.Parse(LedgerFixture.Keys.Sign(Checkpoint));
        return SignedNote.Parse(SignedNote.Write(
            signed.Text, [.. signed.Signatures, .. witnesses.Select(key => key.Cosign(signed.Text, Time)), .. more]));
    }
}
