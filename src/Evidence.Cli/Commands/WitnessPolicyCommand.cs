using System.CommandLine;
using System.Text;
using System.Text.Json.Nodes;
using Evidence.Ledger;
using Evidence.Ledger.Witnesses;
using Evidence.Vaults;

namespace Evidence.Cli.Commands;

/// <summary>Writes the policy that a log's keeper publishes, and that each verifier takes over, changes, or leaves.</summary>
internal static class WitnessPolicyCommand
{
    internal static Command Build()
    {
        var witnesses = new Option<string[]>("--witness")
        {
            Description = "A witness: what to call it, its key as 'witness key' prints it, and its URL if it has one, with spaces between. May be given several times.",
            HelpName = "'NAME VKEY [URL]'",
        };
        var quorum = new Option<int?>("--quorum") { Description = "How many of them must have cosigned; without it all.", HelpName = "N", CustomParser = r => Options.Count(r, 0) };
        var output = new Option<string>("--output") { Description = "The policy's file. One that is there is not overwritten.", HelpName = "FILE", Required = true };
        var command = new Command(
            "policy",
            """
            Writes a policy (c2sp.org/tlog-policy) of this vault's log and some witnesses, to be published. What it says counts for those alone who take it as their own:
            with --policy, or as the file 'policy' in their EVIDENCE_HOME. A witness takes the log's keys from it (serve --policy).

            Example:
              evidence witness policy --witness 'court court.example/witness+0b1c2d3e+BM…= https://court.example/witness' --output lab.policy
            """)
        {
            witnesses, quorum, output,
        };
        Session.Bind(command, (session, parsed, _) =>
        {
            PolicyWitness[] known = [.. (parsed.GetValue(witnesses) ?? []).Select(Read)];
            int needed = parsed.GetValue(quorum) ?? known.Length;
            string path = parsed.GetValue(output)!;
            using Vault vault = session.OpenVault();
            byte[] policy = Compose(vault.Ledger.Keys(), known, needed);
            using (var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write))
                file.Write(policy);
            session.Answer(
                () => new JsonObject { ["file"] = path, ["policy"] = Encoding.UTF8.GetString(policy) },
                text =>
                {
                    text.WriteLine($"{path}:");
                    foreach (string line in Encoding.UTF8.GetString(policy).TrimEnd('\n').Split('\n'))
                        text.WriteLine($"  {line}");
                });
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static byte[] Compose(IReadOnlyCollection<VerifierKey> logs, PolicyWitness[] witnesses, int quorum)
    {
        try
        {
            return WitnessPolicy.Write(logs, witnesses, quorum);
        }
        catch (FormatException e)
        {
            throw new EvidenceException(ErrorCode.Usage, e.Message, e);
        }
    }

    private static PolicyWitness Read(string text)
    {
        try
        {
            return text.Split(' ', StringSplitOptions.RemoveEmptyEntries) switch
            {
                [var name, var key] => new PolicyWitness(name, VerifierKey.Parse(key), null),
                [var name, var key, var url] => new PolicyWitness(name, VerifierKey.Parse(key), url),
                _ => throw new FormatException($"'{text}' is no witness: write its name, its key and, if it has one, its URL, with spaces between."),
            };
        }
        catch (FormatException e)
        {
            throw new EvidenceException(ErrorCode.Usage, e.Message, e);
        }
    }
}
