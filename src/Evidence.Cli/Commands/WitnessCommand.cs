using System.CommandLine;
using System.Net;
using System.Text.Json.Nodes;
using Evidence.Ledger;
using Evidence.Ledger.Witnesses;
using Evidence.Ledger.Witnesses.Http;

namespace Evidence.Cli.Commands;

/// <summary>The verbs of whoever is a witness; those of the log's side are in <see cref="WitnessAskCommand"/>.</summary>
internal static class WitnessCommand
{
    private static readonly Option<string?> Name = new("--name")
    {
        Description = "The witness's name, a URL without a scheme: lab.example/witness. Without it: the only witness whose key is on this machine.",
        HelpName = "NAME",
    };

    private static readonly Option<string> State = new("--state")
    {
        Description = "The folder in which the witness keeps what it signed; always the same one.",
        HelpName = "DIR",
        Required = true,
    };

    private static readonly Option<string[]> Logs = new("--log")
    {
        Description = "A key of a log that is known to the witness, as its keeper's 'identity list' prints it. Once for each key.",
        HelpName = "VKEY",
        AllowMultipleArgumentsPerToken = true,
    };

    private static readonly Option<string?> Policy = new("--policy")
    {
        Description = "Instead, or besides: a policy whose logs are known to the witness, as the log's keeper published it. The rest of it is passed over.",
        HelpName = "FILE",
    };

    internal static Command Build()
    {
        var command = new Command(
            "witness",
            """
            Witnesses make a ledger binding for its own keeper: each cosigns the ledger's size and root, and never two histories. Be one on your own machine, for
            the other side's vault; ask others for your own.

            Examples:
              evidence witness key --create --name lab.example/witness
              evidence witness serve --listen 192.0.2.7:8080 --state /srv/witness --log 'vault.example/1+0b1c2d3e+AY…'
              evidence witness policy --witness 'lab lab.example/witness+0b1c2d3e+BM…= http://192.0.2.7:8080/' --output witnesses.policy
              evidence witness ask --policy witnesses.policy                          have your own vault's ledger cosigned, over HTTP
              evidence witness request --output request                               or by files, carried there
              evidence witness answer request --state /srv/witness --log 'vault.example/1+0b1c2d3e+AY…' --output answer
              evidence witness accept answer                                          and back
            """)
        {
            Key(),
            Serve(),
            AnswerFile(),
            WitnessAskCommand.Ask(),
            WitnessAskCommand.Request(),
            WitnessAskCommand.Accept(),
            WitnessPolicyCommand.Build(),
        };
        return command;
    }

    private static Command Key()
    {
        var create = new Option<bool>("--create") { Description = "Make the key. Its name cannot be changed later, and no other machine may have it." };
        var command = new Command(
            "key",
            """
            Shows a witness's public key, for those who shall trust it: for the policies of verifiers, and for whoever keeps the log.

            Examples:
              evidence witness key --create --name lab.example/witness
              evidence witness key
            """)
        {
            Name, create,
        };
        Session.Bind(command, (session, parsed, _) =>
        {
            KeyStore keys = session.Access.Keys!;
            using WitnessKey key = parsed.GetValue(create)
                ? keys.CreateWitness(parsed.GetValue(Name) ?? throw new EvidenceException(ErrorCode.Usage, "Name the witness that shall be made: --name lab.example/witness"))
                : keys.LoadWitness(NameOf(session, parsed));
            session.Answer(
                () => new JsonObject { ["name"] = key.Name, ["key"] = key.VerifierKey.ToString() },
                text => text.WriteLine(key.VerifierKey.ToString()));
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static Command Serve()
    {
        var listen = new Option<string>("--listen")
        {
            Description = "The address and port to listen on; port 0 for any that is free. For TLS, put a proxy before it.",
            HelpName = "ADDRESS:PORT",
            Required = true,
        };
        var command = new Command(
            "serve",
            """
            Is a witness, over HTTP (c2sp.org/tlog-witness), until it is interrupted: POST /add-checkpoint cosigns, GET /<hex SHA-256 of the origin>/checkpoint gives the
            last checkpoint that was cosigned. Two checkpoints of one size with different roots are kept below --state: together they prove two histories.

            Example:
              evidence witness serve --listen 127.0.0.1:8080 --state /srv/witness --log 'vault.example/1+0b1c2d3e+AY…'
            """)
        {
            listen, State, Logs, Policy, Name,
        };
        Session.Bind(command, async (session, parsed, stop) =>
        {
            if (!IPEndPoint.TryParse(parsed.GetValue(listen)!, out IPEndPoint? address) || !parsed.GetValue(listen)!.Contains(':', StringComparison.Ordinal))
                throw new EvidenceException(ErrorCode.Usage, $"'{parsed.GetValue(listen)}' is no address and port. Example: 127.0.0.1:8080");
            using Witness witness = Open(session, parsed);
            using WitnessServer server = WitnessServer.Listen(witness, address, logger: session.Access.Logger);
            session.Answer(
                () => new JsonObject
                {
                    ["key"] = witness.Key.ToString(),
                    ["listen"] = server.EndPoint.ToString(),
                    ["logs"] = new JsonArray([.. witness.Origins.Select(origin => (JsonNode)origin)]),
                },
                text =>
                {
                    text.WriteLine($"The witness {witness.Key} listens on http://{server.EndPoint}/ for the logs");
                    foreach (string origin in witness.Origins)
                        text.WriteLine($"  {origin}");
                });
            await server.RunAsync(stop);
            return ExitCode.Done;
        });
        return command;
    }

    private static Command AnswerFile()
    {
        var request = new Argument<string>("REQUEST-FILE") { Description = "What the log's keeper made with 'witness request'." };
        var output = new Option<string>("--output") { Description = "Where the answer goes; for 'witness accept' on the keeper's machine.", HelpName = "ANSWER-FILE", Required = true };
        var command = new Command(
            "answer",
            """
            Is a witness by files, for a machine without a network: answers one request as 'serve' would, with the same state. Where the request is refused because
            the log remembers another size than the witness, the answer holds the witness's, and the log asks again from there.

            Example:
              evidence witness answer request --state /srv/witness --log 'vault.example/1+0b1c2d3e+AY…' --output answer
            """)
        {
            request, State, Logs, Policy, Name, output,
        };
        Session.Bind(command, (session, parsed, _) =>
        {
            using Witness witness = Open(session, parsed);
            string path = Path.GetFullPath(parsed.GetValue(output)!);
            WitnessAnswer answer = witness.AnswerFile(parsed.GetValue(request)!, path);
            session.Answer(
                () => new JsonObject { ["key"] = witness.Key.ToString(), ["status"] = answer.Status, ["answer"] = path },
                text => text.WriteLine(answer.Status == 200
                    ? $"Cosigned. The answer is {path}"
                    : $"Not cosigned: this witness cosigned {answer.Text.TrimEnd()} entries last. The answer {path} tells the log's keeper to ask again from there."));
            return Task.FromResult(answer.Status == 200 ? ExitCode.Done : ExitCode.Failed);
        });
        return command;
    }

    private static Witness Open(Session session, ParseResult parsed)
    {
        VerifierKey[] logs =
        [
            .. (parsed.GetValue(Logs) ?? []).Select(ReadKey),
            .. parsed.GetValue(Policy) is { } policy ? WitnessPolicy.Load(policy).Logs.Select(log => log.Key) : [],
        ];
        if (logs.Length == 0)
            throw new EvidenceException(ErrorCode.Usage, "Whose witness? Name the keys of at least one log, with --log or --policy.");
        return Witness.Open(session.Access.Keys!, NameOf(session, parsed), parsed.GetValue(State)!, logs, session.Access.Clock, session.Access.Logger);
    }

    private static VerifierKey ReadKey(string text)
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

    private static string NameOf(Session session, ParseResult parsed) => parsed.GetValue(Name) ?? session.Access.Keys!.ListWitnesses() switch
    {
        [var only] => only,
        [] => throw new EvidenceException(ErrorCode.KeyMissing, "There is no witness's key on this machine. Make one: evidence witness key --create --name lab.example/witness"),
        var names => throw new EvidenceException(ErrorCode.Usage, $"There are several witnesses on this machine; say which with --name: {string.Join(", ", names)}"),
    };
}
