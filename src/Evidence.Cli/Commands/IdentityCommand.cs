using System.CommandLine;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Ledger;
using Evidence.Ledger.Witnesses;
using Evidence.Vaults;

namespace Evidence.Cli.Commands;

internal static class IdentityCommand
{
    private static readonly Argument<string?> Name = new("NAME")
    {
        Description = "What the actor is called; without it the one that signs here (--actor).",
        Arity = ArgumentArity.ZeroOrOne,
    };

    internal static Command Build() => new(
        "identity",
        """
        The keys that sign: actors' keys sign entries, the log key signs checkpoints. Private keys are in EVIDENCE_HOME, never in a vault.

        Examples:
          evidence identity create a.turing     a new key, below EVIDENCE_HOME
          evidence identity list
          evidence identity declare a.turing    tell the vault's ledger of it
          evidence identity rotate              a new key in the place of the old one; the same actor goes on
          evidence identity revoke --compromised-since 2026-03-01T00:00:00Z --reason "The laptop was stolen"
          evidence identity pin 'vault.example/1+0b1c2d3e+AY…' 'vault.example/1+4f5a6b7c+Aj…'
                                                trust the log keys that a vault's keeper published
        """)
    {
        WithKey("create", "Makes a new actor key.", (keys, name) => keys.CreateActor(name)),
        WithKey("show", "Shows an actor's key: its id and its public part.", (keys, name) => keys.LoadActor(name)),
        List(),
        Declare(),
        Rotate(),
        Revoke(),
        Pin(),
    };

    private static Command WithKey(string verb, string description, Func<KeyStore, string, ActorKey> keyOf)
    {
        var command = new Command(verb, description) { Name };
        Session.Bind(command, (session, parsed, _) =>
        {
            string name = parsed.GetValue(Name) ?? session.Access.Actor;
            using ActorKey key = keyOf(session.Access.Keys!, name);
            Answer(session, name, key);
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static Command List()
    {
        var command = new Command("list", "Lists the actors' keys on this machine, and those that the vault's ledger declares.");
        Session.Bind(command, (session, _, _) =>
        {
            var own = new List<(string Name, string Id)>();
            foreach (string name in session.Access.Keys!.ListActors())
            {
                using ActorKey key = session.Access.Keys.LoadActor(name);
                own.Add((name, key.Id));
            }

            var registry = new KeyRegistry();
            IReadOnlyList<VerifierKey> log = [];
            if (Vault.Exists(session.VaultFolder))
            {
                using Vault vault = session.OpenVault();
                log = vault.Ledger.Keys();
                registry = vault.Ledger.Open().FoldIdentities();
            }

            session.Answer(
                () => new JsonObject
                {
                    ["own"] = new JsonArray([.. own.Select(k => new JsonObject { ["name"] = k.Name, ["key"] = k.Id })]),
                    ["declared"] = new JsonArray([.. Declared(registry).Select(ToJson)]),
                    ["log"] = new JsonArray([.. log.Select(k => (JsonNode)k.ToString())]),
                },
                text =>
                {
                    text.WriteLine($"On this machine ({KeyStore.DefaultFolder()}):");
                    foreach ((string name, string id) in own)
                        text.WriteLine($"  {name,-20} {id}");
                    text.WriteLine($"Declared in the ledger of {session.VaultFolder}:");
                    foreach (DeclaredKey key in Declared(registry))
                    {
                        text.WriteLine($"  {key.Identity.Name,-20} {key.KeyId}  {(key.End is { } end ? $"signs no more: {end}" : "in force")}");
                        foreach (RecordedRevocation revocation in key.Revocations)
                            text.WriteLine($"  {"",-20} {Told(revocation)}");
                    }

                    text.WriteLine("Log keys:");
                    foreach (VerifierKey key in log)
                        text.WriteLine($"  {key}");
                });
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static IOrderedEnumerable<DeclaredKey> Declared(KeyRegistry registry) => registry.Keys.Values.OrderBy(key => key.DeclaredBy);

    private static JsonObject ToJson(DeclaredKey key) => new()
    {
        ["name"] = key.Identity.Name,
        ["key"] = key.KeyId,
        ["entry"] = DecimalText.Format(key.DeclaredBy),
        ["replaces"] = key.Replaces,
        ["inForce"] = key.EndedBy is null,
        ["endedBy"] = key.EndedBy is { } entry ? DecimalText.Format(entry) : null,
        ["revocations"] = new JsonArray([.. key.Revocations.Select(revocation => new JsonObject
        {
            ["entry"] = DecimalText.Format(revocation.Entry),
            ["by"] = revocation.Revoker.Name,
            ["compromisedSince"] = revocation.Statement.CompromisedSince is { } since ? Timestamps.Format(since) : null,
            ["reason"] = revocation.Statement.Reason,
        })]),
        ["revokers"] = new JsonArray([.. key.Identity.Revokers.Select(revoker => (JsonNode)revoker)]),
    };

    private static string Told(RecordedRevocation revocation) =>
        $"revoked by {revocation.Revoker.Name} in entry {revocation.Entry}" +
        (revocation.Statement.CompromisedSince is { } since ? $", compromised since {Timestamps.Format(since)}" : "") +
        (revocation.Statement.Reason is { } reason ? $": {reason}" : "");

    private static Command Declare()
    {
        var revokers = new Option<string[]>("--revoker")
        {
            Description = "Another actor's key that may revoke this one and those that come in its place; may be given several times.",
            HelpName = "KEY",
        };
        var command = new Command("declare", "Tells the vault's ledger of an actor's key, so that what it signs can be judged.") { Name, revokers };
        Session.Bind(command, (session, parsed, _) =>
        {
            using Vault vault = OpenAs(session, parsed);
            long? entry = vault.Ledger.DeclareActor(FindKeys(vault, parsed.GetValue(revokers) ?? []));
            session.Answer(
                () => new JsonObject { ["actor"] = vault.Ledger.Actor, ["entry"] = EntryNumber(entry) },
                text => text.WriteLine(entry is null ? $"{vault.Ledger.Actor} is declared already, or its declaration waits in staging." : $"Declared {vault.Ledger.Actor} in ledger entry {entry}."));
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static Command Rotate()
    {
        var command = new Command(
            "rotate",
            """
            Makes a new key for an actor and puts it in the place of the old one. The entry that says so is signed by both. The old private key is kept below EVIDENCE_HOME:
            other vaults that know it hear of the new key with the next entry; it signs nothing else any more.

            Not after a theft: whoever has the old key could have put this one in its place. Then 'identity revoke --compromised-since', and 'identity create'.

            Example:
              evidence identity rotate a.turing
            """)
        {
            Name,
        };
        Session.Bind(command, (session, parsed, _) =>
        {
            using Vault vault = OpenAs(session, parsed);
            (string key, long? entry) = vault.Ledger.RotateActor();
            session.Answer(
                () => new JsonObject { ["actor"] = vault.Ledger.Actor, ["key"] = key, ["entry"] = EntryNumber(entry) },
                text => text.WriteLine($"{vault.Ledger.Actor} signs with the key {key} from now on; {Where(entry)}"));
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static Command Revoke()
    {
        var key = new Argument<string?>("KEY")
        {
            Description = "sha256: and at least eight digits of the key's id; without it the key of the actor that signs here (--actor).",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var since = new Option<string?>("--compromised-since") { Description = "Since when others may have had the key: RFC 3339, UTC.", HelpName = "INSTANT" };
        var reason = new Option<string?>("--reason") { Description = "Why, in words.", HelpName = "TEXT" };
        var command = new Command(
            "revoke",
            """
            Ends a key: from here on it signs nothing in this vault's ledger. What it signed before stays what it was worth; with --compromised-since every answer says
            beside it that the key may have been another's, and of keys that came in its place that another may have put them there. The key itself may revoke itself,
            the key that came in its place may, and those that its owner named (declare --revoker). The vault's keeper may not. To be done in every vault that knows the key.

            Examples:
              evidence identity revoke --compromised-since 2026-03-01T00:00:00Z --reason "The laptop was stolen"
              evidence identity revoke sha256:0b1c2d3e --actor a.turing
            """)
        {
            key, since, reason,
        };
        Session.Bind(command, (session, parsed, _) =>
        {
            using Vault vault = session.OpenVault();
            string? keyId = parsed.GetValue(key) is { } given ? FindKeys(vault, [given])[0] : null;
            (keyId, long? entry) = vault.Ledger.Revoke(keyId, parsed.GetValue(since) is { } instant ? Units.ParseInstant(instant) : null, parsed.GetValue(reason));
            session.Answer(
                () => new JsonObject { ["key"] = keyId, ["entry"] = EntryNumber(entry) },
                text => text.WriteLine($"The key {keyId} is revoked; {Where(entry)}"));
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static Vault OpenAs(Session session, System.CommandLine.ParseResult parsed) =>
        Vault.Open(session.VaultFolder, session.Access with { Actor = parsed.GetValue(Name) ?? session.Access.Actor });

    private static string? EntryNumber(long? entry) => entry is { } index ? DecimalText.Format(index) : null;

    private static string Where(long? entry) =>
        entry is null ? "the entry that says so waits in staging, and counts when the holder of the log key takes it in." : $"ledger entry {entry} says so.";

    /// <summary>The ids of keys that the ledger declares, from the beginnings of them that people give.</summary>
    private static List<string> FindKeys(Vault vault, string[] given)
    {
        if (given.Length == 0)
            return [];
        KeyRegistry registry = vault.Ledger.Open().FoldIdentities();
        return
        [
            .. given.Select(text =>
            {
                string[] found = [.. registry.Keys.Keys.Where(id => id.StartsWith(text, StringComparison.Ordinal))];
                return text.Length < "sha256:".Length + 8 || found.Length == 0
                    ? throw new EvidenceException(ErrorCode.Usage, $"'{text}' is not sha256: and at least eight digits of a key that the ledger declares: 'evidence identity list' shows them.")
                    : found is [var one]
                        ? one
                        : throw new EvidenceException(ErrorCode.Usage, $"Several keys begin with {text}: {string.Join(", ", found)}.");
            }),
        ];
    }

    private static Command Pin()
    {
        var keys = new Argument<string[]>("VKEY")
        {
            Description = "A log key in writing, as the keeper's `identity list` prints it. Give all keys of the log, usually two.",
            Arity = ArgumentArity.ZeroOrMore,
            Validators = { Options.RefuseUnknownOptions },
        };
        var policy = new Option<string?>("--policy") { Description = "Instead, or besides: a policy, as the log's keeper published it, of which only the log's keys are taken.", HelpName = "FILE" };
        var command = new Command(
            "pin",
            """
            Pins a log's public keys on this machine, as its keeper published them. From then on a vault of that name counts only with these keys, and a
            ledger that was set back, or exchanged, is found out.

            Example:
              evidence identity pin 'vault.example/1+0b1c2d3e+AY…' 'vault.example/1+4f5a6b7c+Aj…'
              evidence identity pin --policy vault.policy
            """)
        {
            keys, policy,
        };
        Session.Bind(command, (session, parsed, _) =>
        {
            IEnumerable<VerifierKey> published = parsed.GetValue(policy) is { } path ? WitnessPolicy.Load(path).Logs.Select(log => log.Key) : [];
            ILookup<string, VerifierKey> logs = (parsed.GetValue(keys) ?? []).Select(Parse).Concat(published).ToLookup(key => key.Name, StringComparer.Ordinal);
            if (logs.Count == 0)
                throw new EvidenceException(ErrorCode.Usage, "Which keys? Name those of a log, or a policy that has them.");
            foreach (IGrouping<string, VerifierKey> log in logs)
                session.Access.Keys!.Pin(log.Key, [.. log.Distinct()]);
            session.Answer(
                () => new JsonObject { ["pinned"] = new JsonArray([.. logs.SelectMany(log => log).Select(key => (JsonNode)key.ToString())]) },
                text =>
                {
                    foreach (IGrouping<string, VerifierKey> log in logs)
                        text.WriteLine($"Pinned {log.Distinct().Count()} keys of the log {log.Key}.");
                });
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static VerifierKey Parse(string text)
    {
        try
        {
            return VerifierKey.ParseLogKey(text);
        }
        catch (FormatException e)
        {
            throw new EvidenceException(ErrorCode.Usage, e.Message, e);
        }
    }

    private static void Answer(Session session, string name, ActorKey key) => session.Answer(
        () => new JsonObject { ["name"] = name, ["key"] = key.Id, ["publicKey"] = Convert.ToBase64String(key.PublicKey.Span) },
        text =>
        {
            text.WriteLine($"{name}");
            text.WriteLine($"  key id      {key.Id}");
            text.WriteLine($"  public key  {Convert.ToBase64String(key.PublicKey.Span)} (ECDSA P-256, SubjectPublicKeyInfo)");
        });
}
