using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Ledger;
using Evidence.Ledger.Timestamping;
using Evidence.Proofs;
using Evidence.Tests.Cli;
using Evidence.Tests.Ledger;
using Evidence.Vaults;
using Evidence.Verification;
using NodaTime;
using Xunit;

namespace Evidence.Tests.Vaults;

/// <summary>Rotation and revocation as a vault's user meets them: with keys on disk, several vaults, and runs that end between two steps.</summary>
public sealed class ActorKeysTests : IDisposable
{
    private readonly TestVault place = new();

    [Fact]
    public async Task A_new_key_comes_in_the_place_of_the_old_in_every_vault_and_the_actor_goes_on()
    {
        string other = place.At("other");
        place.Create().Dispose();
        place.Create(folder: other, origin: "vault.example/other").Dispose();
        using ActorKey old = place.Keys.LoadActor("examiner");
        using Vault vault = place.Open();
        (string key, long? entry) = vault.Ledger.RotateActor();
        Assert.Equal(2, entry);
        Assert.Equal(3, Note(vault));
        Assert.Equal(key, Keys(vault)[old.Id].Successor!.KeyId);

        // The other vault hears of it with the next entry.
        using (Vault second = Vault.Open(other, place.Access))
        {
            Assert.Equal(3, Note(second));
            Assert.Equal((old.Id, "examiner"), (Keys(second)[key].Replaces!, Keys(second)[key].Identity.Name));
        }

        Assert.Empty(SignedBy(old.Id, vault, from: 3));
        Assert.Equal(ContentVerdict.Verified, (await place.VerifyAsync()).Content);
    }

    [Fact]
    public void A_rotation_that_came_no_further_than_the_key_store_is_finished_by_the_next_entry()
    {
        using Vault vault = place.Create();
        place.Keys.RotateActor("examiner").Dispose();
        using ActorKey latest = place.Keys.RotateActor("examiner");
        Assert.Equal(3, Note(vault));
        DeclaredKey declared = Keys(vault)[latest.Id];
        Assert.Equal((2, declared.FirstKey), (declared.DeclaredBy, declared.Replaces));
    }

    [Fact]
    public async Task A_revoked_key_is_not_used_again_and_whoever_wants_another_makes_it()
    {
        using Vault vault = place.Create();
        using ActorKey old = place.Keys.LoadActor("examiner");
        Instant since = SystemClock.Instance.GetCurrentInstant() - Duration.FromHours(1);
        (string key, long? entry) = vault.Ledger.Revoke(null, since, "stolen");
        Assert.Equal((old.Id, 2), (key, entry));

        Assert.Equal(ErrorCode.KeyRevoked, Assert.Throws<EvidenceException>(() => Note(vault)).Code);
        Assert.DoesNotContain("examiner", place.Keys.ListActors(), StringComparer.Ordinal);
        // Said again, it is not written again; learned better, it is.
        Assert.Equal(2, vault.Ledger.Revoke(key, since).Entry);
        Assert.Equal(3, vault.Ledger.Revoke(key, since - Duration.FromHours(1)).Entry);
        place.Keys.CreateActor("examiner").Dispose();
        Assert.Equal(5, Note(vault));
        Assert.Equal(2, Keys(vault).Values.Count(k => k.Identity.Name == "examiner"));
        Assert.Empty(SignedBy(old.Id, vault, from: 4));

        VerificationReport report = await place.VerifyAsync();
        Assert.Equal(ContentVerdict.Verified, report.Content);
        Finding told = Assert.Single(report.Ledger.Findings, f => f.What == "key");
        Assert.Contains("3 entries, from 0 to 2, are signed by a key of examiner", told.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_that_ended_between_the_entry_and_the_key_store_leaves_a_key_that_is_refused_with_the_way_out()
    {
        using Vault vault = place.Create();
        using ActorKey old = place.Keys.LoadActor("examiner");
        vault.Ledger.Revoke();
        File.WriteAllText(Path.Combine(place.At("keys"), "actors", "examiner.pem"), old.ExportPem());

        EvidenceException error = Assert.Throws<EvidenceException>(() => Note(vault));
        Assert.Equal(ErrorCode.KeyRevoked, error.Code);
        Assert.Contains($"identity revoke {old.Id}", error.Message, StringComparison.Ordinal);
        Assert.Equal(ErrorCode.KeyRevoked, Assert.Throws<EvidenceException>(() => vault.Ledger.RotateActor()).Code);
        Assert.Equal(2, vault.Ledger.Revoke(old.Id).Entry);
        Assert.Empty(place.Keys.ListActors());
        Assert.Equal(3, vault.Ledger.Open().Size);
    }

    [Fact]
    public void The_keeper_cannot_silence_another_actor()
    {
        using Vault vault = place.Create();
        place.Keys.CreateActor("opponent").Dispose();
        using Vault opponents = Vault.Open(place.Folder, place.Access with { Actor = "opponent" });
        opponents.Ledger.DeclareActor();
        string key = Keys(vault).Values.Single(k => k.Identity.Name == "opponent").KeyId;
        EvidenceException error = Assert.Throws<EvidenceException>(() => vault.Ledger.Revoke(key));
        Assert.Equal(ErrorCode.KeyMissing, error.Code);
        Assert.Equal(3, vault.Ledger.Open().Size);
        Assert.NotNull(Note(opponents));
    }

    [Fact]
    public void Whom_an_actor_named_revokes_the_key_that_the_actor_lost()
    {
        using Vault vault = place.Create();
        place.Keys.CreateActor("field").Dispose();
        using Vault field = Vault.Open(place.Folder, place.Access with { Actor = "field" });
        using ActorKey keeper = place.Keys.LoadActor("examiner");
        field.Ledger.DeclareActor([keeper.Id]);
        Assert.Equal(ErrorCode.Usage, Assert.Throws<EvidenceException>(() => field.Ledger.DeclareActor([keeper.Id])).Code);
        string key = Keys(vault).Values.Single(k => k.Identity.Name == "field").KeyId;
        vault.Ledger.Revoke(key, reason: "lost in the field");
        // The field's own key store does not know yet, and is told.
        Assert.Equal(ErrorCode.KeyRevoked, Assert.Throws<EvidenceException>(() => Note(field)).Code);
    }

    [Fact]
    public async Task Without_the_log_key_rotation_and_revocation_wait_and_go_in_in_order()
    {
        place.Create().Dispose();
        var distant = new KeyStore(place.At("distant"));
        distant.CreateActor("distant").Dispose();
        using Vault away = Vault.Open(place.Folder, place.Access with { Keys = distant, Actor = "distant" });
        Assert.Null(Note(away));
        // Known to wait already: not said twice.
        Assert.Null(Note(away));
        Assert.Equal(3, Directory.GetFiles(Path.Combine(place.Layout.Ledger, "staging", "entries")).Length);
        using (Vault vault = place.Open())
            Assert.Equal(5, Note(vault));
        Assert.Null(away.Ledger.RotateActor().Entry);
        Assert.Null(Note(away));
        using (Vault vault = place.Open())
        {
            Assert.Equal(8, Note(vault));
            Assert.Equal(3, Keys(vault).Count);
        }

        Assert.Null(away.Ledger.Revoke().Entry);
        using (Vault vault = place.Open())
        {
            Assert.Equal(10, Note(vault));
            Assert.Equal(2, Keys(vault).Values.Count(k => k.EndedBy is not null));
        }

        Assert.Equal(ContentVerdict.Verified, (await place.VerifyAsync()).Content);
    }

    [Fact]
    public async Task What_a_key_signs_after_its_end_is_a_finding()
    {
        using (Vault vault = place.Create())
            vault.Ledger.Revoke();
        using ActorKey revoked = Assert.Single(place.Keys.LoadRevoked("examiner"));
        // A sequencer that does not judge what it takes in.
        var late = LedgerEntry.Create(
            new EntryPayload(EntryKind.Note, SystemClock.Instance.GetCurrentInstant(), null, [], new JsonObject { ["text"] = "late" }, revoked.Id), revoked);
        using LogKeys log = place.Keys.LoadLog("vault.example/test");
        LedgerWriter.Open(new LedgerDirectory(place.Layout.Ledger), log, place.Keys, TestVault.Stop).Append([late.ToBytes()], TestVault.Stop);

        VerificationReport report = await place.VerifyAsync();

        Finding finding = Assert.Single(report.Ledger.Findings);
        Assert.Equal(("entry", ContentVerdict.Unverifiable), (finding.What, finding.Verdict));
        Assert.Equal("Entry 3 (note) is signed by a key of examiner that signs no more: entry 2 revoked it.", finding.Detail);
    }

    /// <summary>A thief who has the key, and may write to staging, puts one of his own in its place. Owner, verifier and whoever is shown a proof hear of it.</summary>
    [Fact]
    public async Task What_a_thiefs_own_key_signs_is_told_of_wherever_entries_are_judged()
    {
        using Vault vault = place.Create();
        Instant before = SystemClock.Instance.GetCurrentInstant();
        using ActorKey stolen = place.Keys.LoadActor("examiner");
        var thief = new KeyStore(place.At("thief"));
        thief.CreateActor("examiner").Dispose();
        File.WriteAllText(Path.Combine(place.At("thief"), "actors", "examiner.pem"), stolen.ExportPem());
        using (Vault thiefs = Vault.Open(place.Folder, place.Access with { Keys = thief }))
        {
            thiefs.Ledger.RotateActor();
            thiefs.Ledger.RecordNote("all is well", ["server-7"], null);
        }

        place.Keys.CreateActor("keeper").Dispose();
        using (Vault keepers = Vault.Open(place.Folder, place.Access with { Actor = "keeper" }))
            Assert.Equal(5, Note(keepers));
        EvidenceException error = Assert.Throws<EvidenceException>(() => Note(vault));
        Assert.Equal(ErrorCode.KeyRevoked, error.Code);
        Assert.Contains("somebody else has the key", error.Message, StringComparison.Ordinal);
        Assert.Equal(6, vault.Ledger.Revoke(null, before, "stolen").Entry);
        place.Keys.CreateActor("examiner").Dispose();
        Assert.Equal(8, Note(vault));

        VerificationReport report = await place.VerifyAsync();
        Assert.Equal(ContentVerdict.Verified, report.Content);
        Finding[] told = [.. report.Ledger.Findings.Where(f => f.What == "key")];
        Assert.Equal(2, told.Length);
        Assert.StartsWith("3 entries, from 0 to 2, are signed by a key of examiner that examiner declared compromised", told[0].Detail, StringComparison.Ordinal);
        Assert.StartsWith("Entry 3 is signed by a key that goes back, through entry 2, to one that examiner declared compromised", told[1].Detail, StringComparison.Ordinal);
        JsonArray entries = (await RunAsync("--json", "log")).Json["entries"]!.AsArray();
        Assert.Equal(["signature", "signature", "signature", "key", null, null, null, null, null], entries.Select(e => (string?)e!["later"]?["about"]), StringComparer.Ordinal);
        Assert.Contains("whoever else had that one may have brought this one in", (await RunAsync("log")).Output, StringComparison.Ordinal);
        foreach (ProofSubject subject in (ProofSubject[])[ProofSubject.OfEntry(3), ProofSubject.OfItem("server-7")])
        {
            ProofVerdict verdict = ProofCheck.Run(new Prover(vault).Prove(subject, TestVault.Stop), null, TrustedAuthorities.None);
            Assert.Contains(verdict.Statements, s => s.StartsWith("Signed by a key that goes back, through entry 2, to one", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void A_new_key_that_somebody_declared_here_first_comes_in_the_place_of_the_old_one_all_the_same()
    {
        string other = place.At("other");
        place.Create().Dispose();
        place.Create(folder: other, origin: "vault.example/other").Dispose();
        using ActorKey old = place.Keys.LoadActor("examiner");
        string key;
        using (Vault vault = place.Open())
            key = vault.Ledger.RotateActor().KeyId;
        using ActorKey now = place.Keys.LoadActor("examiner");
        using ActorKey stranger = ActorKey.Create();
        // What others say of it, and what it declared of itself elsewhere, left in staging before the actor signs anything there.
        LedgerEntry strangers = LedgerFixture.Declare(stranger, "stranger", SystemClock.Instance.GetCurrentInstant());
        var about = LedgerEntry.Create(new EntryPayload(EntryKind.Identity, SystemClock.Instance.GetCurrentInstant(), null, [], new ActorIdentity("Nobody", null, now.PublicKey).ToJson(), stranger.Id), stranger);
        LedgerEntry own = LedgerFixture.Declare(now, "somewhere else", SystemClock.Instance.GetCurrentInstant());
        using Vault second = Vault.Open(other, place.Access);
        foreach (LedgerEntry entry in (LedgerEntry[])[strangers, about, own])
            LedgerWriter.Stage(second.Ledger.Storage, entry);
        Note(second);
        Note(second);
        DeclaredKey declared = Keys(second)[key];
        Assert.Equal((old.Id, "examiner"), (declared.Replaces!, declared.Identity.Name));
        Assert.NotNull(Keys(second)[old.Id].EndedBy);
    }

    [Fact]
    public void What_others_left_in_staging_about_a_key_is_not_its_own_word()
    {
        place.Create().Dispose();
        var distant = new KeyStore(place.At("distant"));
        using ActorKey key = distant.CreateActor("distant");
        using ActorKey stranger = ActorKey.Create();
        using Vault away = Vault.Open(place.Folder, place.Access with { Keys = distant, Actor = "distant" });
        Instant now = SystemClock.Instance.GetCurrentInstant();
        LedgerWriter.Stage(away.Ledger.Storage, LedgerFixture.Declare(stranger, "stranger", now));
        LedgerWriter.Stage(away.Ledger.Storage, LedgerEntry.Create(new EntryPayload(EntryKind.Identity, now, null, [], new ActorIdentity("Nobody", null, key.PublicKey).ToJson(), stranger.Id), stranger));
        // And one that looks like its own, with another's signature under its id.
        JsonNode envelope = CanonicalJson.Parse(LedgerFixture.Declare(key, "forged", now).ToBytes());
        envelope["signatures"]![0]!["sig"] = Convert.ToBase64String(stranger.Sign("other"u8));
        LedgerWriter.Stage(away.Ledger.Storage, LedgerEntry.Parse(CanonicalJson.Serialize(envelope)));
        Assert.Null(Note(away));
        using (Vault vault = place.Open())
            Note(vault);
        Assert.Equal(("distant", true), (Keys(away)[key.Id].Identity.Name, Keys(away)[key.Id].IsOwn));
        Assert.Single(SignedBy(key.Id, away, from: 0), e => e.Entry!.Payload.Kind == EntryKind.Note && e.Verdict!.Status == EntrySignatureStatus.Valid);
    }

    [Fact]
    public async Task The_command_rotates_revokes_lists_and_tells()
    {
        place.Create().Dispose();
        CommandRun rotated = await RunAsync("--json", "identity", "rotate");
        Assert.Equal((0, "2"), (rotated.ExitCode, (string?)rotated.Json["entry"]));
        JsonNode list = (await RunAsync("--json", "identity", "list")).Json["declared"]!;
        Assert.Equal([false, true], list.AsArray().Select(k => (bool)k!["inForce"]!).ToArray());
        string old = (string)list[0]!["key"]!;
        CommandRun revoked = await RunAsync("identity", "revoke", old[..17], "--compromised-since", "2026-01-01T00:00:00Z", "--reason", "stolen");
        Assert.Equal(0, revoked.ExitCode);
        Assert.Contains("ledger entry 3 says so", revoked.Output, StringComparison.Ordinal);
        Assert.Contains("compromised since 2026-01-01T00:00:00.000000000Z: stolen", (await RunAsync("identity", "list")).Output, StringComparison.Ordinal);

        CommandRun log = await RunAsync("--json", "log");
        JsonArray entries = log.Json["entries"]!.AsArray();
        Assert.Equal("valid", (string?)entries[1]!["signature"]);
        Assert.Equal("3", (string?)entries[1]!["later"]!["toldBy"]);
        // Whoever had the old key could have made the new one, which says so itself.
        Assert.Equal(("3", "key", "2"), ((string?)entries[3]!["later"]!["toldBy"], (string?)entries[3]!["later"]!["about"], (string?)entries[3]!["later"]!["place"]));
        Assert.Contains("put a new key", (await RunAsync("log")).Output, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync("note", "goes on")).ExitCode);

        Assert.Equal(2, (await RunAsync("identity", "revoke", "sha256:00")).ExitCode);
        Assert.Equal(2, (await RunAsync("identity", "revoke", "--compromised-since", "yesterday")).ExitCode);
        Assert.Equal(2, (await RunAsync("identity", "revoke", "--compromised-since", "2999-01-01T00:00:00Z")).ExitCode);
    }

    public void Dispose() => place.Dispose();

    private Task<CommandRun> RunAsync(params string[] command) => CommandRun.StartAsync(place, ["--vault", place.Folder, "--actor", "examiner", "--quiet", .. command]);

    private static IReadOnlyDictionary<string, DeclaredKey> Keys(Vault vault) => vault.Ledger.Open().FoldIdentities().Keys;

    private static IEnumerable<JudgedEntry> SignedBy(string key, Vault vault, long from) =>
        vault.Ledger.Entries().Where(e => e.Index >= from && e.Entry!.Payload.Key == key);

    private static long? Note(Vault vault) => vault.Ledger.RecordNote("note", [], null);
}
