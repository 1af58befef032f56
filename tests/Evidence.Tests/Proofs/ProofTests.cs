using System.Text;
using Evidence.Acquisition;
using Evidence.Ledger;
using Evidence.Ledger.Timestamping;
using Evidence.Ledger.Witnesses;
using Evidence.Proofs;
using Evidence.Tests.Ledger;
using Evidence.Tests.Ledger.Timestamping;
using Evidence.Tests.Vaults;
using Evidence.Vaults;
using NodaTime;
using Xunit;

namespace Evidence.Tests.Proofs;

/// <summary>What a proof to carry says is so, and what is changed in it never makes it say something else that is not.</summary>
public sealed class ProofTests : IDisposable
{
    private static readonly byte[] Content = MakeContent();

    private readonly TestVault place = new();
    private readonly Vault vault;
    private readonly AcquisitionResult acquired;

    public ProofTests()
    {
        vault = place.Create();
        acquired = TestVault.AcquireAsync(vault, Content, new AcquisitionOptions { Item = "server-7", Case = "2026-117" }).GetAwaiter().GetResult();
        vault.Ledger.RecordNote("arrived with a broken seal", ["server-7"], null);
        vault.Ledger.RecordNote("nothing to do with it", ["server-8"], null);
        vault.Ledger.RecordNote("sealed anew", ["server-7"], null);
    }

    private ProofSubject Image => ProofSubject.OfImage(acquired.Entry!.Value, acquired.Image);

    [Fact]
    public void An_entry_is_proved_to_whom_the_log_is_known()
    {
        ProofVerdict verdict = Check(Prove(ProofSubject.OfEntry(3)), Policy());
        Assert.Equal((ProofStanding.Proved, null), (verdict.Standing, verdict.Refutation));
        Assert.Equal("note", Assert.Single(verdict.Entries).Entry!.Payload.Kind);
        Assert.Contains(verdict.Statements, s => s.Contains("calls itself examiner", StringComparison.Ordinal));
        Assert.Contains(verdict.Statements, s => s.StartsWith("When entry 3 came into the ledger, nobody", StringComparison.Ordinal));
    }

    [Fact]
    public void Without_a_policy_nobody_is_known()
    {
        ProofVerdict verdict = Check(Prove(ProofSubject.OfEntry(3)), null);
        Assert.Equal(ProofStanding.Consistent, verdict.Standing);
        Assert.Contains(verdict.Statements, s => s.StartsWith("Consistent, signer unknown", StringComparison.Ordinal));
    }

    /// <summary>Everything is in order in a forger's ledger, but for whose it is.</summary>
    [Fact]
    public void A_forger_with_keys_of_his_own_stays_unknown()
    {
        using var forger = new TestVault();
        using Vault forged = forger.Create();
        forged.Ledger.RecordNote("forged", [], null);
        byte[] proof = new Prover(forged).Prove(ProofSubject.OfEntry(2), TestVault.Stop);
        foreach (WitnessPolicy policy in (WitnessPolicy[])[Policy(), PolicyOf("quorum none\n")])
        {
            ProofVerdict verdict = Check(proof, policy);
            Assert.Equal(ProofStanding.Consistent, verdict.Standing);
            Assert.Contains(verdict.Statements, s => s.StartsWith("Consistent, signer unknown", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Without_the_quorum_it_is_not_proved()
    {
        using var witness = WitnessKey.Create("witness.example/w");
        string policy = string.Concat(vault.Ledger.Keys().Select(k => $"log {k}\n")) + $"witness w {witness.VerifierKey}\nquorum w\n";
        ProofVerdict verdict = Check(Prove(Image), PolicyOf(policy));
        Assert.Equal(ProofStanding.Consistent, verdict.Standing);
        Assert.Contains(verdict.Statements, s => s.Contains("another history", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(511, 2)]
    [InlineData(0, 700_000)]
    [InlineData((64 << 20) - 1, 2)]
    [InlineData((64 << 20) + 100_000, 200_000)]
    [InlineData(400_000, (64 << 20) + 5)]
    public void A_range_is_proved_with_its_bytes(long offset, long length)
    {
        byte[] proof = Prove(ProofSubject.OfImage(acquired.Entry!.Value, acquired.Image, offset, length));
        using var bytes = new MemoryStream();
        ProofVerdict verdict = ProofCheck.Run(proof, Policy(), TrustedAuthorities.None, bytes);
        Assert.Equal((ProofStanding.Proved, null), (verdict.Standing, verdict.Refutation));
        byte[] expected = Content[(int)offset..(int)(offset + length)];
        Assert.Equal(expected, bytes.ToArray());
        Assert.Equal(Evidence.Hashing.Sha256Digest.Compute(expected), verdict.RangeDigest);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, long.MaxValue)]
    [InlineData(long.MaxValue, 1)]
    public void A_range_that_the_image_does_not_have_is_not_proved(long offset, long length) => Assert.Equal(
        ErrorCode.Usage,
        Assert.Throws<EvidenceException>(() => Prove(ProofSubject.OfImage(acquired.Entry!.Value, acquired.Image, offset, length))).Code);

    [Fact]
    public void All_entries_of_an_item_are_all_of_them()
    {
        ProofVerdict verdict = Check(Prove(ProofSubject.OfItem("server-7")), Policy());
        Assert.Equal(ProofStanding.Proved, verdict.Standing);
        Assert.Equal([2, 3, 5], verdict.Entries.Select(e => e.Index));
        Assert.Contains("all the entries that concern server-7 among the first 6", verdict.Statements[0], StringComparison.Ordinal);
        Assert.Empty(Check(Prove(ProofSubject.OfItem("server-9")), Policy()).Entries);
    }

    /// <summary>The content of a range is cut out of the file before the rest is parsed: whatever is where it should be, nothing else is taken for it.</summary>
    [Fact]
    public void Content_that_is_not_in_its_one_form_and_place_is_refused()
    {
        string good = Encoding.UTF8.GetString(Prove(ProofSubject.OfImage(acquired.Entry!.Value, acquired.Image, 0, 30_000)));
        int start = good.IndexOf("\"segments\":[", StringComparison.Ordinal) + 12;
        int stop = good.IndexOf(']', start);
        string[] contents = good[start..stop].Split(',');
        Assert.True(contents.Length > 2);
        string With(params IEnumerable<string> segments) => $"{good[..start]}{string.Join(',', segments)}{good[stop..]}";
        Assert.Equal(good, With(contents));
        string[] bad =
        [
            With(contents[1..]), With(contents[..^1]), With([.. contents, contents[0]]), With(contents.Reverse()), With(), With([.. contents, "\"\""]), With([.. contents, "\"AA==\""]),
            With([.. contents, "1"]), With([.. contents, "null"]), With([.. contents, "[]"]), With([.. contents, ""]), With(["", .. contents]), With([" " + contents[0], .. contents[1..]]),
            With([contents[0] + " ", .. contents[1..]]), With([contents[0].Insert(9, "\\n"), .. contents[1..]]), With([contents[0].Insert(9, " "), .. contents[1..]]), good[..(start + 9)], good[..(stop + 1)], good[..^1],
            good + " ", good.Replace("\"segments\":[", "\"segments\" :[", StringComparison.Ordinal), good.Insert(start - 12, "\"segments\":[],"), good.Insert(start - 12, $"\"segments\":[{contents[0]}],"),
            // Beside its place: in another object, where the parser refuses it, and behind the right one.
            good.Replace("\"subject\":{", "\"subject\":{\"segments\":[],", StringComparison.Ordinal), good.Replace("\"entries\":[{", "\"entries\":[{\"segments\":[\"AA==\"],", StringComparison.Ordinal),
        ];
        foreach (string text in bad)
        {
            using var bytes = new MemoryStream();
            ProofVerdict verdict = ProofCheck.Run(Encoding.UTF8.GetBytes(text), Policy(), TrustedAuthorities.None, bytes);
            Assert.Equal(ProofStanding.Refuted, verdict.Standing);
            Assert.Equal(0, bytes.Length);
        }

        // A name that looks like the array's beginning is a string, with its quotation marks escaped.
        vault.Ledger.RecordNote("\"segments\":[\"AA==\"]", ["\"segments\":["], null);
        Assert.Equal(ProofStanding.Proved, Check(Prove(ProofSubject.OfItem("\"segments\":[")), Policy()).Standing);
    }

    /// <summary>By the file, as by its bytes; and what does not hold leaves nothing behind.</summary>
    [Fact]
    public void A_range_is_extracted_only_where_it_is_proved()
    {
        string path = place.At("proof");
        string output = place.At("bytes");
        ProofSubject range = ProofSubject.OfImage(acquired.Entry!.Value, acquired.Image, 400_000, (64 << 20) + 5);
        new Prover(vault).Write(range, path, TestVault.Stop);
        Assert.Equal(Prove(range).Length, new FileInfo(path).Length, 64.0);
        ProofVerdict verdict = ProofCheck.Extract(path, Policy(), TrustedAuthorities.None, output);
        Assert.Equal(ProofStanding.Proved, verdict.Standing);
        Assert.Equal(Content[400_000..(400_000 + (64 << 20) + 5)], File.ReadAllBytes(output));
        Assert.Equal(ErrorCode.DestinationInvalid, Assert.Throws<EvidenceException>(() => ProofCheck.Extract(path, Policy(), TrustedAuthorities.None, output)).Code);
        byte[] bad = File.ReadAllBytes(path);
        bad[^1000] ^= 1;
        TestVault.Overwrite(path, bad);
        Assert.Equal(ProofStanding.Refuted, ProofCheck.Extract(path, Policy(), TrustedAuthorities.None, place.At("none")).Standing);
        Assert.False(File.Exists(place.At("none")));
        Assert.DoesNotContain(Directory.GetFiles(place.At("")), file => file.EndsWith(".tmp", StringComparison.Ordinal));
    }

    /// <summary>A map of zeros alone says much in few bytes; a check must end.</summary>
    [Fact]
    public async Task A_range_longer_than_one_proof_is_of_is_refused()
    {
        AcquisitionResult zeros = await TestVault.AcquireAsync(vault, new byte[(int)Prover.LongestRange + (64 << 20)], new AcquisitionOptions { Item = "zeros", Digests = [] });
        var proof = ProofFile.Read(new MemoryStream(Prove(ProofSubject.OfImage(zeros.Entry!.Value, zeros.Image, 0, Prover.LongestRange))));
        Assert.Equal(ProofStanding.Proved, Check(Written(proof), Policy()).Standing);
        byte[] more = Written(proof with { Subject = ProofSubject.OfImage(zeros.Entry.Value, zeros.Image, 0, Prover.LongestRange + 1) });
        Assert.Contains("longer than one proof", Check(more, Policy()).Refutation, StringComparison.Ordinal);
    }

    /// <summary>A stamp that an entry names bounds what comes after it, and each stamp what came before.</summary>
    [Fact]
    public async Task Of_each_entry_of_an_item_it_is_said_between_which_instants_it_came()
    {
        using var authority = new TestAuthority();
        Directory.CreateDirectory(place.At("keys/authorities"));
        await File.WriteAllTextAsync(place.At("keys/authorities/root.pem"), authority.Root.ExportCertificatePem(), TestVault.Stop);
        Instant[] at = [TestAuthority.Within, TestAuthority.Within + Duration.FromDays(1)];
        foreach (Instant instant in at)
        {
            await vault.Timestamps.AcceptAsync(authority.Reply(vault.Timestamps.Request(), instant), [], TestVault.Stop);
            vault.Ledger.RecordNote("later", ["server-7"], null);
        }

        ProofVerdict verdict = ProofCheck.Run(Prove(ProofSubject.OfItem("server-7")), Policy(), place.Keys.LoadAuthorities());
        // Entries 2, 3 and 5; the stamp's entry 6, then 7; the other stamp's entry 8, then 9.
        Assert.Equal([2, 3, 5, 7, 9], verdict.Bounds.Select(bounds => bounds.Entry));
        Duration accuracy = verdict.Timestamps[0].NoLaterThan - at[0];
        Assert.Equal([at[0] + accuracy, at[0] + accuracy, at[0] + accuracy, at[1] + accuracy, null], verdict.Bounds.Select(bounds => bounds.NoLaterThan?.NoLaterThan));
        Assert.Equal([null, null, null, at[0] - accuracy, at[1] - accuracy], verdict.Bounds.Select(bounds => bounds.NotBefore?.Instant));
        TimeBounds own = vault.Timestamps.Bounds(vault.Ledger.Open().Witnessing(null));
        Assert.Equal(verdict.Bounds, verdict.Entries.Select(entry => own.Of(entry.Index)));
        // Who trusts no authority has no bounds.
        Assert.All(Check(Prove(ProofSubject.OfItem("server-7")), Policy()).Bounds, bounds => Assert.True(bounds is { NoLaterThan: null, NotBefore: null }));
    }

    [Fact]
    public void Of_all_entries_of_an_item_those_that_only_repeat_another_are_told()
    {
        LedgerEntry note = vault.Ledger.Entries().Single(e => e.Index == 3).Entry!;
        using (LogKeys log = place.Keys.LoadLog("vault.example/test"))
            LedgerWriter.Open(vault.Ledger.Storage, log, place.Keys, TestVault.Stop).Append([LedgerFixture.Repeat(note).ToBytes()], TestVault.Stop);
        ProofVerdict verdict = Check(Prove(ProofSubject.OfItem("server-7")), Policy());
        Assert.Equal([null, null, null, 3L], verdict.Entries.Select(e => e.Repeats));
        Assert.Single(verdict.Statements, s => s.StartsWith("It says what entry 3 says", StringComparison.Ordinal));
    }

    /// <summary>One is left out, the others and the checkpoint are right: that is what completeness is for.</summary>
    [Theory]
    [InlineData("left out")]
    [InlineData("cut off")]
    [InlineData("swapped")]
    [InlineData("twice")]
    public void Entries_that_are_not_all_of_them_are_refuted(string forgery)
    {
        var proof = ProofFile.Read(new MemoryStream(Prove(ProofSubject.OfItem("server-7"))));
        List<byte[]> entries = [.. proof.Entries.Select(e => e.Bytes)];
        switch (forgery)
        {
            case "left out":
                entries.RemoveAt(3);
                break;
            case "cut off":
                entries.RemoveAt(5);
                break;
            case "swapped":
                (entries[3], entries[5]) = (entries[5], entries[3]);
                break;
            default:
                entries.Add(entries[5]);
                break;
        }

        byte[] forged = Written(proof with { Entries = [.. entries.Select((bytes, i) => new ProvedEntry(i, bytes, []))] });
        Assert.Contains("missing, added, changed or moved", Check(forged, Policy()).Refutation, StringComparison.Ordinal);
    }

    /// <summary>
    /// Whatever byte is changed, it does not hold, or says just what a proof made of that subject says: no sentence is ever wrong.
    /// </summary>
    /// <remarks>With EVIDENCE_LONG=1 every byte; else some 1,500 of them, others for each kind of proof.</remarks>
    [Theory]
    [InlineData("entry")]
    [InlineData("image")]
    [InlineData("range")]
    [InlineData("item")]
    public void A_wrong_byte_never_makes_a_wrong_sentence(string what)
    {
        ProofSubject subject = what switch
        {
            "entry" => ProofSubject.OfEntry(3),
            "image" => Image,
            "range" => ProofSubject.OfImage(acquired.Entry!.Value, acquired.Image, 4000, 300),
            _ => ProofSubject.OfItem("server-7"),
        };
        byte[] good = Prove(subject);
        WitnessPolicy policy = Policy();
        int refuted = 0;
        var truth = new Dictionary<ProofSubject, IReadOnlyList<string>>();
        int stride = Environment.GetEnvironmentVariable("EVIDENCE_LONG") == "1" ? 1 : Math.Max(1, good.Length / 1500);
        int tried = 0;
        for (int i = 0; i < good.Length; i += stride, tried++)
        {
            byte[] bad = [.. good];
            bad[i] ^= (byte)(1 << (i % 7));
            ProofVerdict verdict = Check(bad, policy);
            if (verdict.Standing == ProofStanding.Refuted)
            {
                Assert.Empty(verdict.Statements);
                refuted++;
                continue;
            }

            if (!truth.TryGetValue(verdict.Subject!, out IReadOnlyList<string>? said))
                truth.Add(verdict.Subject!, said = Check(Prove(verdict.Subject!), policy).Statements);
            Assert.Equal(said, verdict.Statements);
        }

        Assert.InRange(refuted, tried * 9 / 10, tried);
    }

    public void Dispose()
    {
        vault.Dispose();
        place.Dispose();
    }

    private static byte[] MakeContent()
    {
        var content = new byte[(64 << 20) + 500_000];
        TestBytes.Random(1_500_000, 1).CopyTo(content, 0);
        TestBytes.Random(600_000, 2).CopyTo(content, (64 << 20) - 200_000);
        content.AsSpan(5 << 20, 1 << 20).Fill(0xFF);
        return content;
    }

    private static ProofVerdict Check(byte[] proof, WitnessPolicy? policy) => ProofCheck.Run(proof, policy, TrustedAuthorities.None);

    private static WitnessPolicy PolicyOf(string text) => WitnessPolicy.Parse(Encoding.UTF8.GetBytes(text));

    private static byte[] Written(ProofFile proof)
    {
        using var file = new MemoryStream();
        proof.Write(file, []);
        return file.ToArray();
    }

    private byte[] Prove(ProofSubject subject) => new Prover(vault).Prove(subject, TestVault.Stop);

    private WitnessPolicy Policy() => PolicyOf(string.Concat(vault.Ledger.Keys().Select(k => $"log {k}\n")) + "quorum none\n");
}
