using System.CommandLine;
using System.Text.Json.Nodes;
using Evidence.Ledger;
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
          evidence identity pin 'vault.example/1+0b1c2d3e+AY…' 'vault.example/1+4f5a6b7c+Aj…'
                                                trust the log keys that a vault's keeper published
        """)
    {
        WithKey("create", "Makes a new actor key.", (keys, name) => keys.CreateActor(name)),
        WithKey("show", "Shows an actor's key: its id and its public part.", (keys, name) => keys.LoadActor(name)),
        List(),
        Declare(),
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
                foreach (JudgedEntry entry in vault.Ledger.Open().JudgeEntries(registry))
                    _ = entry;
            }

            session.Answer(
                () => new JsonObject
                {
                    ["own"] = new JsonArray([.. own.Select(k => new JsonObject { ["name"] = k.Name, ["key"] = k.Id })]),
                    ["declared"] = new JsonArray([.. registry.Actors.Values.Select(a => new JsonObject { ["name"] = a.Name, ["key"] = a.KeyId })]),
                    ["log"] = new JsonArray([.. log.Select(k => (JsonNode)k.ToString())]),
                },
                text =>
                {
                    text.WriteLine($"On this machine ({KeyStore.DefaultFolder()}):");
                    foreach ((string name, string id) in own)
                        text.WriteLine($"  {name,-20} {id}");
                    text.WriteLine($"Declared in the ledger of {session.VaultFolder}:");
                    foreach (ActorIdentity actor in registry.Actors.Values)
                        text.WriteLine($"  {actor.Name,-20} {actor.KeyId}");
                    text.WriteLine("Log keys:");
                    foreach (VerifierKey key in log)
                        text.WriteLine($"  {key}");
                });
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static Command Declare()
    {
        var command = new Command("declare", "Tells the vault's ledger of an actor's key, so that what it signs can be judged.") { Name };
        Session.Bind(command, (session, parsed, _) =>
        {
            using var vault = Vault.Open(session.VaultFolder, session.Access with { Actor = parsed.GetValue(Name) ?? session.Access.Actor });
            long? entry = vault.Ledger.DeclareActor();
            session.Answer(
                () => new JsonObject { ["actor"] = vault.Ledger.Actor, ["entry"] = entry?.ToString(System.Globalization.CultureInfo.InvariantCulture) },
                text => text.WriteLine(entry is null ? $"{vault.Ledger.Actor} is declared already, or its declaration waits in staging." : $"Declared {vault.Ledger.Actor} in ledger entry {entry}."));
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static Command Pin()
    {
        var keys = new Argument<string[]>("VKEY")
        {
            Description = "A log key in writing, as the keeper's `identity list` prints it. Give all keys of the log, usually two.",
            Arity = ArgumentArity.OneOrMore,
        };
        var command = new Command(
            "pin",
            """
            Pins a log's public keys on this machine, as its keeper published them. From then on a vault of that name counts only with these keys, and a
            ledger that was set back, or exchanged, is found out.

            Example:
              evidence identity pin 'vault.example/1+0b1c2d3e+AY…' 'vault.example/1+4f5a6b7c+Aj…'
            """)
        {
            keys,
        };
        Session.Bind(command, (session, parsed, _) =>
        {
            ILookup<string, VerifierKey> logs = parsed.GetValue(keys)!.Select(Parse).ToLookup(key => key.Name, StringComparer.Ordinal);
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
            return VerifierKey.Parse(text);
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
