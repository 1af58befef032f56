using System.CommandLine;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Ledger;
using Evidence.Ledger.Witnesses;
using Evidence.Ledger.Witnesses.Http;
using Evidence.Vaults;

namespace Evidence.Cli.Commands;

/// <summary>The verbs of the log's side: asking witnesses, over HTTP or by file.</summary>
internal static class WitnessAskCommand
{
    internal static Command Ask()
    {
        var longest = new Option<int>("--longest")
        {
            Description = "How many seconds to go on asking those who do not answer; 1 to 3600.",
            HelpName = "SECONDS",
            DefaultValueFactory = _ => 60,
            CustomParser = r => Options.Count(r, 1, 3600),
        };
        var command = new Command(
            "ask",
            """
            Asks all witnesses of your policy, over HTTP, to cosign the vault's ledger as it is now, and keeps what they answer. Where that makes the policy's quorum, it
            becomes the newest witnessed checkpoint, ledger/witnessed. Ends in 0 only with the quorum. A witness that says that the log was set back or has another history is
            asked for the checkpoint that proves it; that, or the proof of two histories made of it, is kept below EVIDENCE_HOME, and the command ends in 3.

            Example:
              evidence witness ask --policy witnesses.policy
            """)
        {
            Options.Policy, longest,
        };
        Session.Bind(command, async (session, parsed, cancellation) =>
        {
            WitnessPolicy policy = Options.RequirePolicy(session, parsed);
            using Vault vault = session.OpenVault();
            var patience = new WitnessClientOptions { Longest = TimeSpan.FromSeconds(parsed.GetValue(longest)) };
            AskedWitnesses asked = await vault.Witnesses.AskAsync(policy, patience, cancellation);
            session.Answer(
                () => new JsonObject
                {
                    ["size"] = DecimalText.Format(asked.Checkpoint.Size),
                    ["root"] = asked.Checkpoint.Root.ToString(),
                    ["quorum"] = asked.Verdict.IsWitnessed,
                    ["replies"] = new JsonArray([.. asked.Replies.Select(reply => new JsonObject
                    {
                        ["witness"] = reply.Witness.Name,
                        ["cosigned"] = reply.Cosigned,
                        ["status"] = reply.Status,
                        ["detail"] = reply.Detail,
                        ["conflict"] = reply.Conflict is { } conflict
                            ? new JsonObject
                            {
                                ["kind"] = conflict.Proof is null ? "ahead" : "fork",
                                ["size"] = DecimalText.Format(conflict.Checkpoint.Size),
                                ["root"] = conflict.Checkpoint.Root.ToString(),
                                ["file"] = conflict.File,
                            }
                            : null,
                    })]),
                },
                text =>
                {
                    text.WriteLine($"Asked for {Units.Count(asked.Checkpoint.Size)} entries, root {asked.Checkpoint.Root}");
                    foreach (WitnessReply reply in asked.Replies)
                        text.WriteLine($"  {reply.Witness.Name}: {reply.Detail}");
                    Print(text, asked.Verdict);
                });
            return asked.Replies.Any(reply => reply.Conflict is not null) ? ExitCode.Refuted : asked.Verdict.IsWitnessed ? ExitCode.Done : ExitCode.Failed;
        });
        return command;
    }

    internal static Command Request()
    {
        var output = new Option<string>("--output") { Description = "Where the request goes; for 'witness answer' on the witness's machine.", HelpName = "REQUEST-FILE", Required = true };
        var witness = new Option<string?>("--witness") { Description = "Which witness of the policy it is for; not needed where there is one.", HelpName = "NAME" };
        var old = new Option<long?>("--old") { Description = "The size that the witness cosigned last, where it says so; without it, what is known here.", HelpName = "SIZE", CustomParser = r => Options.Entry(r) };
        var command = new Command(
            "request",
            """
            Makes a request to a witness as a file, where there is no network between. The answer may come back much later; the ledger may have grown then.

            Example:
              evidence witness request --witness W1 --output request
            """)
        {
            output, witness, old, Options.Policy,
        };
        Session.Bind(command, (session, parsed, cancellation) =>
        {
            WitnessPolicy policy = Options.RequirePolicy(session, parsed);
            using Vault vault = session.OpenVault();
            string path = Path.GetFullPath(parsed.GetValue(output)!);
            Checkpoint checkpoint = vault.Witnesses.WriteRequest(policy, path, parsed.GetValue(witness), parsed.GetValue(old), cancellation);
            session.Answer(
                () => new JsonObject { ["request"] = path, ["size"] = DecimalText.Format(checkpoint.Size), ["root"] = checkpoint.Root.ToString() },
                text => text.WriteLine($"The request for {Units.Count(checkpoint.Size)} entries is {path}"));
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    internal static Command Accept()
    {
        var answer = new Argument<string>("ANSWER-FILE") { Description = "What 'witness answer' made; or the witness's last checkpoint, where it says that the ledger was set back or forked." };
        var command = new Command(
            "accept",
            """
            Takes in a witness's answer that came as a file. Only valid cosignatures by witnesses of your policy are kept.

            Example:
              evidence witness accept answer --policy witnesses.policy
            """)
        {
            answer, Options.Policy,
        };
        Session.Bind(command, (session, parsed, cancellation) =>
        {
            WitnessPolicy policy = Options.RequirePolicy(session, parsed);
            using Vault vault = session.OpenVault();
            AcceptedAnswer accepted = vault.Witnesses.AcceptAnswer(policy, parsed.GetValue(answer)!, cancellation);
            session.Answer(
                () => new JsonObject
                {
                    ["size"] = DecimalText.Format(accepted.Checkpoint.Size),
                    ["witnesses"] = new JsonArray([.. accepted.Witnesses.Select(witness => (JsonNode)witness.Name)]),
                    ["quorum"] = accepted.Verdict.IsWitnessed,
                },
                text =>
                {
                    text.WriteLine($"{string.Join(", ", accepted.Witnesses.Select(witness => witness.Name))} cosigned {Units.Count(accepted.Checkpoint.Size)} entries.");
                    Print(text, accepted.Verdict);
                });
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static void Print(TextWriter text, PolicyVerdict verdict)
    {
        foreach (string sentence in verdict.Explanation)
            text.WriteLine($"  {sentence}");
        text.WriteLine(verdict.IsWitnessed ? "This is the newest witnessed checkpoint now." : "There is no quorum yet, so what is witnessed stays as it was.");
    }
}
