using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Ledger.Timestamping;
using Evidence.Preservation;
using Evidence.Proofs;
using Evidence.Tests.Vaults;
using Evidence.Vaults;
using Evidence.Verification;
using NodaTime;
using Xunit;

namespace Evidence.Tests.Ledger.Timestamping;

/// <summary>Time stamps as they are taken, kept with a vault's ledger, and found again by whoever verifies it.</summary>
public sealed class VaultTimestampTests : IDisposable
{
    private readonly TestVault place = new();
    private readonly TestAuthority authority = new();

    [Fact]
    public async Task By_files_a_checkpoint_is_stamped_kept_and_is_an_anchor_up_to_its_size()
    {
        using Vault vault = place.Create();
        byte[] request = vault.Timestamps.Request();
        // The ledger goes on before the answer comes; to ask again asks the same.
        Assert.Equal(request, vault.Timestamps.Request());
        vault.Ledger.RecordNote("meanwhile", [], null);
        Trust();
        string list = place.At("root.crl");
        await File.WriteAllBytesAsync(list, authority.List(TestAuthority.Within + Duration.FromDays(1)), TestVault.Stop);

        TakenTimestamp taken = await vault.Timestamps.AcceptAsync(authority.Reply(request), [list], TestVault.Stop);

        Assert.Equal((3, true), (taken.Entry, taken.Verdict.Counts));
        Assert.Empty(taken.Lacking);
        VerificationReport report = await place.VerifyAsync();
        Assert.Equal((ContentVerdict.Verified, AnchorVerdict.Timestamped, 2L), (report.Content, report.Anchor, report.Ledger.Timestamped!.Checkpoint.Size));
        Assert.Empty(report.Ledger.Findings);
        Assert.Empty(report.Findings);
        // An answer is taken in once, and nothing waits any more.
        await RefusedAsync("no question over that waits", () => vault.Timestamps.AcceptAsync(authority.Reply(request), [], TestVault.Stop));

        // Who trusts nobody is told so, and has no anchor.
        report = await place.VerifyAsync(new VerificationOptions { Keys = place.Keys, Trust = TrustedAuthorities.None });
        Assert.Equal((ContentVerdict.Verified, AnchorVerdict.None), (report.Content, report.Anchor));
        Assert.Contains("that you do not say you trust", Assert.Single(report.Ledger.Timestamps).Verdict!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_does_not_hold_is_not_kept()
    {
        using Vault vault = place.Create();
        byte[] request = vault.Timestamps.Request();
        using var server = new TestAuthority(uses: []);
        await RefusedAsync("not one of a time-stamp authority", () => vault.Timestamps.AcceptAsync(server.Reply(request), [], TestVault.Stop));
        await RefusedAsync("was not valid", () => vault.Timestamps.AcceptAsync(authority.Reply(request, TestAuthority.Until + Duration.FromDays(1)), [Chain()], TestVault.Stop));
        string list = place.At("root.crl");
        await File.WriteAllBytesAsync(list, authority.List(TestAuthority.Within, TestAuthority.From, X509RevocationReason.Superseded), TestVault.Stop);
        await RefusedAsync("was revoked", () => vault.Timestamps.AcceptAsync(authority.Reply(request), [list, Chain()], TestVault.Stop));
        Assert.Equal(2, vault.Ledger.Open().Size);
        Assert.Empty(vault.Timestamps.List());
        Assert.False(Directory.Exists(Path.Combine(place.Layout.Ledger, "timestamps")));
        // The question still waits for an answer that holds; what was brought is kept, and not trusted by that.
        TakenTimestamp taken = await vault.Timestamps.AcceptAsync(authority.Reply(request), [Chain()], TestVault.Stop);
        Assert.False(taken.Verdict.IsTrusted);
        Assert.Contains("Test Clock", Assert.Single(taken.Lacking), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_time_stamp_that_was_taken_away_or_changed_is_found()
    {
        string file = await StampAsync();
        byte[] bytes = await File.ReadAllBytesAsync(file, TestVault.Stop);
        for (int i = 0; i < bytes.Length; i += 97)
        {
            TestVault.Flip(file, i, i % 8);
            VerificationReport report = await place.VerifyAsync();
            Finding finding = Assert.Single(report.Ledger.Findings);
            Assert.Equal(("timestamp", ContentVerdict.Refuted, AnchorVerdict.None), (finding.What, finding.Verdict, report.Anchor));
            Assert.EndsWith(finding.File!, file, StringComparison.Ordinal);
            TestVault.Overwrite(file, bytes);
        }

        File.Delete(file);
        Finding missing = Assert.Single((await place.VerifyAsync()).Ledger.Findings);
        Assert.Contains("missing, although entry 2 names it", missing.Detail, StringComparison.Ordinal);
        Assert.Equal(ContentVerdict.Refuted, missing.Verdict);
    }

    /// <summary>Whoever takes a stamp away takes away what it proves against a wipe.</summary>
    [Fact]
    public async Task The_gate_misses_a_time_stamp_that_was_taken_away_or_changed()
    {
        string file = await StampAsync();
        byte[] bytes = await File.ReadAllBytesAsync(file, TestVault.Stop);
        using Vault vault = place.Open();
        var docket = Docket.Read(vault.Ledger.Open(), cancellation: TestVault.Stop);
        PreservationPolicy policy = PreservationPolicy.Default;
        policy = policy with { Time = policy.Time with { Authorities = [Sha256Digest.Compute(authority.Root.RawData)] } };
        Assert.Empty(GateMaterial.Of(vault, docket).TimesFor(policy).Lost);
        Assert.NotNull(GateMaterial.Of(vault, docket).TimesFor(policy).Latest);
        foreach (bool isThere in (bool[])[true, false])
        {
            if (isThere)
                TestVault.Flip(file, bytes.Length / 2);
            else
                File.Delete(file);
            // What is remembered of a stamp is not what is there.
            OutsideTimes times = GateMaterial.Of(vault, docket).TimesFor(policy);
            Assert.Null(times.Latest);
            LostStamp lost = Assert.Single(times.Lost);
            Assert.Equal((2L, isThere), (lost.Entry, lost.IsThere));
            Assert.EndsWith(lost.File, file, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_stamped_checkpoint_that_the_ledger_is_not_proves_a_fork_or_a_rollback()
    {
        await StampAsync();
        using LogKeys log = place.Keys.LoadLog("vault.example/test");
        foreach ((long size, string word) in ((long, string)[])[(2, "another history of 2 entries"), (9, "set back")])
        {
            byte[] note = log.Sign(new Checkpoint("vault.example/test", size, Sha256Digest.Compute("other"u8)));
            string file = Plant(authority.Document(note, authority.Token(System.Security.Cryptography.SHA256.HashData(note))));
            Finding finding = Assert.Single((await place.VerifyAsync()).Ledger.Findings);
            Assert.Equal(ContentVerdict.Refuted, finding.Verdict);
            Assert.Contains(word, finding.Detail, StringComparison.Ordinal);
            File.Delete(file);
        }

        // What another's keys signed accuses nobody.
        using var others = LogKeys.Create("vault.example/test");
        byte[] planted = others.Sign(new Checkpoint("vault.example/test", 9, Sha256Digest.Compute("other"u8)));
        Plant(authority.Document(planted, authority.Token(System.Security.Cryptography.SHA256.HashData(planted))));
        VerificationReport report = await place.VerifyAsync();
        Assert.Equal((ContentVerdict.Verified, AnchorVerdict.Timestamped), (report.Content, report.Anchor));
        Assert.Contains("is not this log's", Assert.Single(report.Ledger.Findings).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_entry_that_was_stamped_before_its_key_was_compromised_is_said_to_have_been_there()
    {
        await StampAsync();
        using Vault vault = place.Open();
        vault.Ledger.Revoke(null, TestAuthority.Within + Duration.FromDays(1));
        JudgedEntry[] entries = [.. vault.Ledger.Open().JudgeEntries(LedgerTimestamps.Proved(vault.Timestamps.List()))];
        Assert.Equal([true, true, false], entries.Take(3).Select(entry => entry.Verdict!.Later!.IsProvedBefore).ToArray());
        Assert.Contains("by the time-stamp authority Test Clock, so before that", entries[0].Verdict!.Later!.ToString(), StringComparison.Ordinal);
        Finding told = Assert.Single((await place.VerifyAsync()).Ledger.Findings);
        Assert.Contains("Of them 2 were in their places before that, provably", told.Detail, StringComparison.Ordinal);
    }

    /// <summary>The token proves; but whoever reads the log reads the entry.</summary>
    [Fact]
    public async Task An_entry_that_says_of_a_time_stamp_what_it_is_not_is_found()
    {
        await StampAsync();
        using Vault vault = place.Open();
        JsonObject right = vault.Ledger.Entries().Last().Entry!.Payload.Body;
        Assert.Empty((await place.VerifyAsync()).Ledger.Findings);
        (string Name, JsonNode? Wrong, string Said)[] lies =
        [
            ("genTime", "2019-06-01T12:00:00.000000000Z", "its genTime is '2019-06-01T12:00:00.000000000Z', the token's is '2020-06-01T12:00:00.000000000Z'"),
            ("size", "3", "its size is '3', the token's is '2'"), ("root", new string('0', 64), "its root is '0000"), ("policy", null, "its policy is not given"),
            ("serial", 17, "its serial is not given, the token's is '17'"), ("authority", "Another Clock", "its authority is 'Another Clock', the token's is 'Test Clock'"),
        ];
        foreach ((string name, JsonNode? wrong, _) in lies)
        {
            var body = (JsonObject)right.DeepClone();
            body[name] = wrong;
            vault.Ledger.Record(EntryKind.Timestamp, [], null, body);
        }

        vault.Ledger.Record(EntryKind.Timestamp, [], null, new JsonObject { ["document"] = "nothing" });
        // From before the token, by its claim: the signer's clock may have been behind.
        using (Vault behind = Vault.Open(place.Folder, place.Access with { Clock = new Earlier() }))
            behind.Ledger.Record(EntryKind.Timestamp, [], null, right);

        Finding[] found = [.. (await place.VerifyAsync()).Ledger.Findings];
        Assert.Equal([.. Enumerable.Repeat(ContentVerdict.Unverifiable, 7), ContentVerdict.Verified], found.Select(f => f.Verdict));
        Assert.Contains("names none", found[0].Detail, StringComparison.Ordinal);
        for (int i = 0; i < lies.Length; i++)
            Assert.StartsWith($"Entry {i + 3} does not say of it what it is: {lies[i].Said}", found[i + 1].Detail, StringComparison.Ordinal);
        Assert.StartsWith("Entry 10, which names it, claims to be from 2020-06-01T11:59:00", found[7].Detail, StringComparison.Ordinal);
    }

    private sealed class Earlier : IClock
    {
        public Instant GetCurrentInstant() => TestAuthority.Within - Duration.FromMinutes(1);
    }

    /// <summary>Not the newest stamp, which is too late, but the one that shows it.</summary>
    [Fact]
    public async Task A_proof_has_the_stamp_that_shows_that_a_rotation_was_there_before_the_compromise()
    {
        Trust();
        using Vault vault = place.Create();
        using ActorKey old = place.Keys.LoadActor("examiner");
        vault.Ledger.RotateActor();
        TakenTimestamp early = await vault.Timestamps.AcceptAsync(authority.Reply(vault.Timestamps.Request()), [], TestVault.Stop);
        await vault.Timestamps.AcceptAsync(authority.Reply(vault.Timestamps.Request(), TestAuthority.Within + Duration.FromDays(60)), [], TestVault.Stop);
        long entry = vault.Ledger.RecordNote("by the new key", ["server-7"], null)!.Value;
        vault.Ledger.Revoke(old.Id, TestAuthority.Within + Duration.FromDays(1));
        ProofSubject[] subjects = [ProofSubject.OfEntry(entry), ProofSubject.OfItem("server-7")];
        foreach (ProofSubject subject in subjects)
            Assert.DoesNotContain(Statements(vault, subject), s => s.Contains("goes back", StringComparison.Ordinal));
        Assert.DoesNotContain((await place.VerifyAsync()).Ledger.Findings, f => f.Detail.Contains("goes back", StringComparison.Ordinal));

        File.Delete(Path.Combine(place.Layout.Ledger, early.File));
        foreach (ProofSubject subject in subjects)
            Assert.Contains(Statements(vault, subject), s => s.Contains("goes back, through entry 2", StringComparison.Ordinal));
    }

    private IReadOnlyList<string> Statements(Vault vault, ProofSubject subject) =>
        ProofCheck.Run(new Prover(vault).Prove(subject, TestVault.Stop), null, place.Keys.LoadAuthorities()).Statements;

    [Fact]
    public async Task Over_HTTP_an_authority_out_of_order_is_asked_again_and_a_wrong_answer_is_named()
    {
        using Vault vault = place.Create();
        Trust();
        var server = new Answers(authority);
        using var client = new TimestampClient(server) { Pause = TimeSpan.Zero };
        var url = new Uri("http://tsa.example/");

        server.Next.Enqueue(HttpStatusCode.ServiceUnavailable);
        server.Next.Enqueue(HttpStatusCode.InternalServerError);
        TakenTimestamp taken = await vault.Timestamps.AskAsync(url, client, cancellation: TestVault.Stop);
        Assert.Equal((3, true), (server.Asked, taken.Verdict.Counts));
        Assert.Contains("names no revocation list", Assert.Single(taken.Lacking), StringComparison.Ordinal);

        foreach (HttpStatusCode _ in Enumerable.Range(0, 3).Select(_ => HttpStatusCode.BadGateway))
            server.Next.Enqueue(HttpStatusCode.BadGateway);
        await FailedAsync("502", () => vault.Timestamps.AskAsync(url, client, cancellation: TestVault.Stop));
        // Not all that a connection fails of is wrapped by the framework.
        server.Failure = new SocketException((int)SocketError.ConnectionReset);
        server.Asked = 0;
        await FailedAsync(server.Failure.Message, () => vault.Timestamps.AskAsync(url, client, cancellation: TestVault.Stop));
        Assert.Equal(3, server.Asked);
        server.Failure = null;
        server.Asked = 0;
        server.Next.Enqueue(HttpStatusCode.NotFound);
        await FailedAsync("404", () => vault.Timestamps.AskAsync(url, client, cancellation: TestVault.Stop));
        Assert.Equal(1, server.Asked);
        server.MediaType = "text/html";
        await FailedAsync("text/html", () => vault.Timestamps.AskAsync(url, client, cancellation: TestVault.Stop));
        server.MediaType = "application/timestamp-reply";
        server.Padding = TimestampClient.LargestReply;
        await FailedAsync("more than", () => vault.Timestamps.AskAsync(url, client, cancellation: TestVault.Stop));
        Assert.Equal(3, vault.Ledger.Open().Size);
    }

    public void Dispose()
    {
        authority.Dispose();
        place.Dispose();
    }

    private async Task<string> StampAsync()
    {
        Trust();
        using Vault vault = place.Create();
        TakenTimestamp taken = await vault.Timestamps.AcceptAsync(authority.Reply(vault.Timestamps.Request()), [], TestVault.Stop);
        return Path.Combine(place.Layout.Ledger, taken.File);
    }

    private string Plant(TimestampDocument document)
    {
        byte[] bytes = document.Encode();
        string file = Path.Combine(place.Layout.Ledger, TimestampDocument.NameOf(Sha256Digest.Compute(bytes)));
        File.WriteAllBytes(file, bytes);
        return file;
    }

    private void Trust()
    {
        string file = Path.Combine(place.At("keys"), "authorities", "root.pem");
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, authority.Root.ExportCertificatePem());
    }

    private string Chain()
    {
        string file = place.At("chain.pem");
        File.WriteAllText(file, authority.Root.ExportCertificatePem());
        return file;
    }

    private static async Task RefusedAsync(string reason, Func<Task> action)
    {
        EvidenceException error = await Assert.ThrowsAsync<EvidenceException>(action);
        Assert.Equal(ErrorCode.TimestampRefused, error.Code);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    private static async Task FailedAsync(string reason, Func<Task> action)
    {
        EvidenceException error = await Assert.ThrowsAsync<EvidenceException>(action);
        Assert.Equal(ErrorCode.TimestampUnavailable, error.Code);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    /// <summary>An authority behind HTTP, out of order as often as a test says.</summary>
    private sealed class Answers(TestAuthority authority) : HttpMessageHandler
    {
        public Queue<HttpStatusCode> Next { get; } = [];

        public int Asked { get; set; }

        public string MediaType { get; set; } = "application/timestamp-reply";

        public int Padding { get; set; }

        public Exception? Failure { get; set; }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Asked++;
            if (Failure is not null)
                throw Failure;
            Assert.Equal("application/timestamp-query", request.Content!.Headers.ContentType!.MediaType);
            if (Next.TryDequeue(out HttpStatusCode status))
                return new HttpResponseMessage(status);
            byte[] query = await request.Content.ReadAsByteArrayAsync(cancellationToken);
            var response = new HttpResponseMessage(HttpStatusCode.OK) { Content = new ByteArrayContent([.. authority.Reply(query), .. new byte[Padding]]) };
            response.Content.Headers.ContentType = new(MediaType);
            return response;
        }
    }
}
