using System.Text.Json.Nodes;
using Evidence.Ledger;
using Evidence.Tests.Cli;
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
        Assert.Null(entries[3]!["later"]);
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
