using System.Security.Cryptography;
using System.Security.Cryptography.Pkcs;
using System.Security.Cryptography.X509Certificates;
using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Ledger.Timestamping;
using NodaTime;
using Xunit;

namespace Evidence.Tests.Ledger.Timestamping;

/// <summary>Tokens judged as of their own time: what holds, and each kind of what does not, by its reason.</summary>
public sealed class TimestampCheckTests : IDisposable
{
    private static readonly byte[] Note = LedgerFixture.Keys.Sign(new Checkpoint(LedgerFixture.Origin, 7, Sha256Digest.Compute("root"u8)));

    private static readonly byte[] Imprint = SHA256.HashData(Note);

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("evidence-time-");
    private readonly TestAuthority authority = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_authority_that_expired_since_is_good_as_of_the_tokens_time(bool rsa)
    {
        using var signer = new TestAuthority(rsa);
        TimestampVerdict verdict = Judge(signer.Document(Note, signer.Token(Imprint), signer.List(TestAuthority.Within + Duration.FromDays(1))), Trust(signer));
        Assert.True(verdict.Counts, verdict.ToString());
        Assert.Equal((7L, "Test Clock", "1.2.3.4.1", "17"), (verdict.Checkpoint.Size, verdict.Authority, verdict.Policy, verdict.Serial));
        Assert.Equal(TestAuthority.Within + Duration.FromMilliseconds(1500), verdict.NoLaterThan);
        Assert.Empty(verdict.Remarks);
    }

    [Fact]
    public void Without_trust_it_is_said_that_there_is_none_and_the_file_cannot_bring_it()
    {
        TimestampVerdict verdict = Judge(Document(), TrustedAuthorities.None);
        Assert.Equal((false, false, null), (verdict.Counts, verdict.IsTrusted, verdict.Refusal));
        Assert.Contains("time-stamped by an authority that you do not say you trust, Test Clock", verdict.ToString(), StringComparison.Ordinal);
        using var other = new TestAuthority();
        Assert.False(Judge(Document(), Trust(other)).Counts);
    }

    [Fact]
    public void What_is_not_known_is_said()
    {
        authority.AccuracyMicroseconds = null;
        IReadOnlyList<string> remarks = Judge(Document(), Trust(authority)).Remarks;
        Assert.Contains(remarks, remark => remark.Contains("does not say how accurate", StringComparison.Ordinal));
        Assert.Contains(remarks, remark => remark.Contains("there is no revocation list", StringComparison.Ordinal));
        Assert.Contains("as of 2020-05-01T00:00:00.000000000Z, which is before the token", Assert.Single(
            Judge(Document(authority.List(Instant.FromUtc(2020, 5, 1, 0, 0))), Trust(authority)).Remarks.Skip(1)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-1, X509RevocationReason.Superseded, false)]
    [InlineData(-1, X509RevocationReason.KeyCompromise, false)]
    [InlineData(-1, null, false)]
    [InlineData(1, X509RevocationReason.Unspecified, true)]
    [InlineData(1, X509RevocationReason.AffiliationChanged, true)]
    [InlineData(1, X509RevocationReason.Superseded, true)]
    [InlineData(1, X509RevocationReason.CessationOfOperation, true)]
    [InlineData(1, X509RevocationReason.KeyCompromise, false)]
    [InlineData(1, X509RevocationReason.CACompromise, false)]
    [InlineData(1, X509RevocationReason.CertificateHold, false)]
    [InlineData(1, null, false)]
    public void A_revoked_authority_is_worth_what_RFC_3161_section_4_says(int days, X509RevocationReason? reason, bool stands)
    {
        byte[] list = authority.List(TestAuthority.Within + Duration.FromDays(5), TestAuthority.Within + Duration.FromDays(days), reason);
        string brought = At("later.crl");
        File.WriteAllBytes(brought, list);
        foreach (TimestampVerdict verdict in (TimestampVerdict[])
            [
                Judge(Document(list), Trust(authority)), Judge(Document(list), TrustedAuthorities.None),
                // The list that the verifier brings, where the one that was kept is older.
                Judge(Document(authority.List(TestAuthority.Within)), Trust(authority).With(TrustedAuthorities.Load([brought]))),
            ])
        {
            Assert.Equal(stands, verdict.Refusal is null);
            Assert.Contains("was revoked", stands ? string.Concat(verdict.Remarks) : verdict.Refusal!, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_revocation_within_the_tokens_accuracy_counts_as_before_it()
    {
        byte[] list = authority.List(TestAuthority.Within + Duration.FromDays(5), TestAuthority.Within + Duration.FromSeconds(1), X509RevocationReason.Superseded);
        Assert.NotNull(Judge(Document(list), Trust(authority)).Refusal);
    }

    [Fact]
    public void A_list_of_another_issuer_of_the_same_name_says_nothing()
    {
        using var other = new TestAuthority();
        byte[] forged = authority.List(TestAuthority.Within + Duration.FromDays(5), TestAuthority.From, X509RevocationReason.KeyCompromise, other.Root);
        TimestampVerdict verdict = Judge(Document(forged), Trust(authority));
        Assert.True(verdict.Counts);
        Assert.Contains("there is no revocation list", Assert.Single(verdict.Remarks), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_byte_of_a_revocation_list_counts()
    {
        byte[] list = authority.List(TestAuthority.Within + Duration.FromDays(5), TestAuthority.From, X509RevocationReason.Superseded);
        for (int i = 0; i < list.Length; i++)
        {
            byte[] changed = [.. list];
            changed[i] ^= 1;
            RevocationList decoded;
            try
            {
                decoded = RevocationList.Decode(changed);
            }
            catch (FormatException)
            {
                continue;
            }

            Assert.False(decoded.SpeaksOf(authority.Certificate, authority.Root), $"byte {i}");
        }
    }

    /// <summary>Authorities part their lists: of a certificate only the part speaks that it names (RFC 5280, section 6.3.3, b 2 i).</summary>
    [Fact]
    public void A_part_of_a_list_speaks_only_of_certificates_that_name_it()
    {
        byte[] whole = authority.List(TestAuthority.Within + Duration.FromDays(5));
        TimestampVerdict verdict = Judge(Document(authority.Part(whole, "http://authority.example/part-2.crl")), Trust(authority));
        Assert.True(verdict.Counts);
        Assert.Contains("there is no revocation list", Assert.Single(verdict.Remarks), StringComparison.Ordinal);

        using var naming = new TestAuthority(distributionPoint: "http://authority.example/part-1.crl");
        whole = naming.List(TestAuthority.Within + Duration.FromDays(5));
        Assert.True(RevocationList.Decode(naming.Part(whole, "http://authority.example/part-1.crl")).SpeaksOf(naming.Certificate, naming.Root));
        Assert.False(RevocationList.Decode(naming.Part(whole, "http://authority.example/part-2.crl")).SpeaksOf(naming.Certificate, naming.Root));
        Assert.True(RevocationList.Decode(whole).SpeaksOf(naming.Certificate, naming.Root));
    }

    /// <summary>Of its two bytes the first is one of a reason that a token survives.</summary>
    [Theory]
    [InlineData("0A0104", true)]
    [InlineData("0A020401", false)]
    [InlineData("0A0184", false)]
    [InlineData("0A010400", false)]
    [InlineData("020104", false)]
    [InlineData("0A0107", true)]
    public void A_reason_is_one_byte_and_nothing_is_cut_off(string reason, bool isRead)
    {
        byte[] list = authority.WithReason(authority.List(TestAuthority.Within), TestAuthority.Within, Convert.FromHexString(reason));
        if (isRead)
            Assert.Equal(Convert.FromHexString(reason)[2], (int)RevocationList.Decode(list).Find(authority.Certificate)!.Reason!.Value);
        else
            Assert.Throws<FormatException>(() => RevocationList.Decode(list));
    }

    /// <summary>It has its issuer's name, as the root has, and is none: when a root changes its key, it signs such a one for the new key.</summary>
    [Theory]
    [InlineData("CN=Test Root")]
    [InlineData("CN=Test Between")]
    public void Every_certificate_below_the_root_is_asked_about_also_one_that_has_its_issuers_name(string name)
    {
        using var signer = new TestAuthority(between: name);
        Instant later = TestAuthority.Within + Duration.FromDays(1);
        byte[] own = signer.List(later, signer: signer.Between);
        byte[] roots = signer.List(later);
        Assert.Empty(Judge(signer.Document(Note, signer.Token(Imprint), own, roots), Trust(signer)).Remarks);
        Assert.Contains("there is no revocation list", Assert.Single(Judge(signer.Document(Note, signer.Token(Imprint), own), Trust(signer)).Remarks), StringComparison.Ordinal);
        byte[] revoked = signer.List(later, TestAuthority.From, X509RevocationReason.KeyCompromise, revoked: signer.Between);
        TimestampVerdict verdict = Judge(signer.Document(Note, signer.Token(Imprint), own, revoked), Trust(signer));
        Assert.Contains($"the certificate of {name[3..]} was revoked", verdict.Refusal, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2019)]
    [InlineData(2021)]
    public void A_token_of_a_time_at_which_its_certificate_was_not_valid_is_refused(int year)
    {
        TimestampVerdict verdict = Judge(authority.Document(Note, authority.Token(Imprint, Instant.FromUtc(year, 6, 1, 0, 0))), Trust(authority));
        Assert.Contains("was not valid", verdict.Refusal, StringComparison.Ordinal);
        Assert.False(verdict.Counts);
    }

    [Fact]
    public void A_token_over_another_checkpoint_or_by_another_hash_is_refused()
    {
        byte[] other = LedgerFixture.Keys.Sign(new Checkpoint(LedgerFixture.Origin, 8, Sha256Digest.Compute("root"u8)));
        foreach (TimestampDocument document in (TimestampDocument[])
            [
                authority.Document(other, authority.Token(Imprint)),
                authority.Document(Note, authority.Token(SHA512.HashData(Note), hash: "2.16.840.1.101.3.4.2.3")),
                authority.Document(Note, authority.Token(SHA384.HashData(Note), hash: "2.16.840.1.101.3.4.2.2")),
            ])
        {
            Assert.Contains("over something else", Judge(document, Trust(authority)).Refusal, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Who_is_no_time_stamp_authority_is_refused()
    {
        const string Time = "1.3.6.1.5.5.7.3.8";
        foreach ((string[] uses, bool critical) in ((string[], bool)[])[([], true), ([Time], false), ([Time, "1.3.6.1.5.5.7.3.1"], true), (["1.3.6.1.5.5.7.3.1"], true)])
        {
            using var server = new TestAuthority(uses: uses, critical: critical);
            TimestampVerdict verdict = Judge(server.Document(Note, server.Token(Imprint)), Trust(server));
            Assert.Contains("not one of a time-stamp authority", verdict.Refusal, StringComparison.Ordinal);
            Assert.False(verdict.Counts);
        }
    }

    [Fact]
    public void A_token_that_names_another_certificate_than_its_signers_or_none_is_refused()
    {
        using var other = new TestAuthority();
        authority.Named = other.Certificate;
        Assert.Contains("ESSCertID", Judge(Document(), Trust(authority)).Refusal, StringComparison.Ordinal);
        authority.NamesNone = true;
        Assert.Contains("ESSCertID", Judge(Document(), Trust(authority)).Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void The_authoritys_certificate_may_be_kept_beside_the_token_and_must_be_somewhere()
    {
        authority.IncludesCertificate = false;
        Assert.True(Judge(Document(), Trust(authority)).Counts);
        Assert.Contains("neither in it nor kept", Judge(Document() with { Certificates = [authority.Root] }, Trust(authority)).Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void A_time_that_may_be_off_by_more_than_a_day_is_none()
    {
        authority.AccuracyMicroseconds = 86_400_000_000;
        Assert.True(Judge(Document(), Trust(authority)).Counts);
        authority.AccuracyMicroseconds = 86_401_000_000;
        Assert.Contains("more than a day", Judge(Document(), Trust(authority)).Refusal, StringComparison.Ordinal);
    }

    /// <summary>Unsigned parts of a token may differ without harm; what it says may not.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void No_changed_bit_of_a_token_gives_it_another_meaning(bool rsa)
    {
        using var signer = new TestAuthority(rsa);
        TrustedAuthorities trust = Trust(signer);
        byte[] token = signer.Token(Imprint, nonce: [0x55, 1, 2, 3]);
        TimestampVerdict right = Judge(signer.Document(Note, token), trust);
        Assert.True(right.Counts);
        int refused = 0;
        for (int i = 0; i < token.Length; i++)
        {
            byte[] changed = [.. token];
            changed[i] ^= (byte)(1 << (i % 8));
            TimestampVerdict verdict;
            try
            {
                verdict = Judge(signer.Document(Note, changed), trust);
            }
            catch (EvidenceException e) when (e.Code == ErrorCode.TimestampRefused)
            {
                refused++;
                continue;
            }

            if (!verdict.Counts)
                refused++;
            else
                Assert.Equal(right with { Remarks = [] }, verdict with { Remarks = [] });
        }

        Assert.InRange(refused, token.Length / 3, token.Length);
    }

    [Fact]
    public void An_answer_is_one_to_this_question_only()
    {
        TimestampRequest request = TimestampRequest.Create(Note, "1.2.3.4.5");
        byte[] Answer(byte[]? imprint = null, byte[]? nonce = null, string policy = "1.2.3.4.5") =>
            TestAuthority.Answer(authority.Token(imprint ?? Imprint, null, nonce ?? request.Nonce!.Value.ToArray(), policy));

        _ = TimestampReply.Open(TimestampRequest.Decode(request.Encode()), Answer());
        AssertRefused("another nonce", () => TimestampReply.Open(request, Answer(nonce: [0x41, 2])));
        AssertRefused("another nonce", () => TimestampReply.Open(request, TestAuthority.Answer(authority.Token(Imprint, policy: "1.2.3.4.5"))));
        AssertRefused("message imprint", () => TimestampReply.Open(request, Answer(imprint: SHA256.HashData("other"u8))));
        AssertRefused("under the policy 1.2.3.4.1", () => TimestampReply.Open(request, Answer(policy: "1.2.3.4.1")));
        AssertRefused("its clock is not available", () => TimestampReply.Open(request, TestAuthority.Answer(null, 2, "later", 14)));
        AssertRefused("no time-stamp reply", () => TimestampReply.Open(request, "<html>"u8.ToArray()));
        AssertRefused("no time-stamp reply", () => TimestampReply.Open(request, TestAuthority.Answer(null)));
        Assert.Equal(ErrorCode.Usage, Assert.Throws<EvidenceException>(() => TimestampRequest.Create(Note, "no oid")).Code);
    }

    [Fact]
    public void Of_the_questions_no_two_have_one_nonce() =>
        Assert.Equal(64, Enumerable.Range(0, 64).Select(_ => Convert.ToHexString(TimestampRequest.Create(Note).Nonce!.Value.Span)).ToHashSet(StringComparer.Ordinal).Count);

    [Fact]
    public void A_document_is_read_as_it_was_written()
    {
        TimestampDocument document = Document(authority.List(TestAuthority.Within)) with { Lacking = ["x: none"], Source = "http://tsa.example/" };
        var read = TimestampDocument.Decode(document.Encode());
        Assert.Equal(document.Encode(), read.Encode());
        Assert.True(Judge(read, Trust(authority)).Counts);
    }

    [Fact]
    public void A_document_with_more_in_it_than_any_chain_needs_is_refused()
    {
        TimestampDocument document = Document(authority.List(TestAuthority.Within));
        RevocationList list = document.Lists[0];
        _ = TimestampDocument.Decode((document with { Certificates = [.. Enumerable.Repeat(authority.Root, 16)], Lists = [.. Enumerable.Repeat(list, 64)] }).Encode());
        foreach (TimestampDocument larger in (TimestampDocument[])
            [
                document with { Certificates = [.. Enumerable.Repeat(authority.Root, 17)] }, document with { Lists = [.. Enumerable.Repeat(list, 65)] },
                document with { Token = new byte[TimestampClient.LargestReply + 1] },
            ])
        {
            Assert.Contains("more than", Assert.Throws<FormatException>(() => TimestampDocument.Decode(larger.Encode())).Message, StringComparison.Ordinal);
            Assert.NotNull(larger.Excess);
        }

        // The certificates in a token are not under its signature: anybody can add some.
        var cms = new SignedCms();
        cms.Decode(document.Token);
        for (int i = 0; i < 16; i++)
        {
            using var other = new TestAuthority();
            cms.AddCertificate(other.Root);
        }

        AssertRefused("holds 17 certificates", () => Judge(document with { Token = cms.Encode() }, Trust(authority)));
    }

    public void Dispose()
    {
        authority.Dispose();
        folder.Delete(recursive: true);
    }

    private static TimestampVerdict Judge(TimestampDocument document, TrustedAuthorities trust) => TimestampCheck.Run(document, trust);

    private TimestampDocument Document(params byte[][] lists) => authority.Document(Note, authority.Token(Imprint), lists);

    private TrustedAuthorities Trust(TestAuthority trusted)
    {
        string file = At($"{Guid.NewGuid():N}.pem");
        File.WriteAllText(file, trusted.Root.ExportCertificatePem());
        return TrustedAuthorities.Load([file]);
    }

    private string At(string name) => Path.Combine(folder.FullName, name);

    private static void AssertRefused(string reason, Action action)
    {
        EvidenceException error = Assert.Throws<EvidenceException>(action);
        Assert.Equal(ErrorCode.TimestampRefused, error.Code);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }
}
