using System.CommandLine;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Ledger.Timestamping;
using Evidence.Vaults;

namespace Evidence.Cli.Commands;

internal static class TimestampCommand
{
    private static readonly Option<string?> Policy = new("--policy") { Description = "The policy to ask for, an object identifier.", HelpName = "OID" };

    private static readonly Option<string[]> With = new("--with")
    {
        Description = "Certificates and revocation lists to keep with the token, PEM or DER; may be given several times. They are not trusted by that.",
        HelpName = "FILE",
    };

    internal static Command Build() => new(
        "timestamp",
        """
        Time from outside: an authority's word (RFC 3161) that the ledger's newest checkpoint existed by then. The token is kept with the authority's certificates and
        revocation lists, and judged as of its own time. Whom you trust stands in EVIDENCE_HOME/authorities, or is named with --trust.

        Examples:
          evidence timestamp ask --url http://tsa.example/
          evidence timestamp request --output newest.tsq     on a machine without a network; carry the file to an authority
          evidence timestamp accept newest.tsr --with chain.pem --with root.crl
          evidence timestamp list --trust tsa-root.pem
        """)
    {
        Ask(),
        RequestFile(),
        Accept(),
        List(),
    };

    private static Command Ask()
    {
        var url = new Option<string>("--url") { Description = "The authority's address, http or https.", HelpName = "URL", Required = true };
        var command = new Command(
            "ask",
            """
            Asks an authority over HTTP to stamp the newest checkpoint, and keeps the token if it holds. The answer is checked before: that it is over this checkpoint, its
            nonce, its policy, the authority's certificate and signature. Its revocation lists are fetched; where there is none, that is said.

            Example:
              evidence timestamp ask --url http://tsa.example/ --policy 1.2.3.4.1
            """)
        {
            url, Policy, With,
        };
        Session.Bind(command, async (session, parsed, cancellation) =>
        {
            if (!Uri.TryCreate(parsed.GetValue(url), UriKind.Absolute, out Uri? address))
                throw new EvidenceException(ErrorCode.Usage, $"'{parsed.GetValue(url)}' is no address such as http://tsa.example/.");
            using Vault vault = session.OpenVault();
            using var client = new TimestampClient();
            Answer(session, await vault.Timestamps.AskAsync(address, client, parsed.GetValue(Policy), parsed.GetValue(With), cancellation));
            return ExitCode.Done;
        });
        return command;
    }

    private static Command RequestFile()
    {
        var output = new Option<string>("--output") { Description = "The file for the question (application/timestamp-query).", HelpName = "FILE", Required = true };
        var command = new Command(
            "request",
            """
            Writes a question over the newest checkpoint to a file, for an authority that is reached in another way. What is needed to take the answer in waits in the vault.

            Example:
              evidence timestamp request --output newest.tsq
            """)
        {
            output, Policy,
        };
        Session.Bind(command, (session, parsed, _) =>
        {
            string path = parsed.GetValue(output)!;
            if (File.Exists(path))
                throw new EvidenceException(ErrorCode.DestinationInvalid, $"There is a file {path} already.");
            using Vault vault = session.OpenVault();
            byte[] request = vault.Timestamps.Request(parsed.GetValue(Policy));
            using (var file = new FileStream(path, FileMode.CreateNew))
                file.Write(request);
            session.Answer(
                () => new JsonObject { ["request"] = path },
                text => text.WriteLine($"Wrote the question to {path}. Bring the authority's answer back with 'evidence timestamp accept'."));
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static Command Accept()
    {
        var reply = new Argument<string>("REPLY") { Description = "The authority's answer (application/timestamp-reply)." };
        var command = new Command(
            "accept",
            """
            Takes an authority's answer in that came as a file, if it holds and answers a question that waits here. Nothing is fetched: bring the authority's chain and
            revocation lists along.

            Example:
              evidence timestamp accept newest.tsr --with chain.pem --with root.crl
            """)
        {
            reply, With,
        };
        Session.Bind(command, async (session, parsed, cancellation) =>
        {
            byte[] bytes = await File.ReadAllBytesAsync(parsed.GetValue(reply)!, cancellation);
            using Vault vault = session.OpenVault();
            Answer(session, await vault.Timestamps.AcceptAsync(bytes, parsed.GetValue(With), cancellation));
            return ExitCode.Done;
        });
        return command;
    }

    private static Command List()
    {
        var command = new Command(
            "list",
            """
            Lists the time stamps that are kept, what each says, and what it is worth to you.

            Example:
              evidence timestamp list --trust tsa-root.pem
            """)
        {
            Options.Trust,
        };
        Session.Bind(command, (session, parsed, _) =>
        {
            using Vault vault = session.OpenVault();
            IReadOnlyList<KeptTimestamp> kept = vault.Timestamps.List(session.TrustOf(parsed));
            session.Answer(
                () => new JsonObject { ["timestamps"] = TimestampText.ToJson(kept) },
                text =>
                {
                    if (kept.Count == 0)
                        text.WriteLine("No time stamp is kept. 'evidence timestamp ask' gets one.");
                    foreach (KeptTimestamp stamp in kept)
                        TimestampText.Print(text, "", stamp);
                });
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static void Answer(Session session, TakenTimestamp taken) => session.Answer(
        () => new JsonObject
        {
            ["timestamp"] = TimestampText.ToJson(new KeptTimestamp(taken.File, taken.Verdict, null, null)),
            ["lacking"] = new JsonArray([.. taken.Lacking.Select(lacking => (JsonNode)lacking)]),
            ["entry"] = taken.Entry is { } entry ? DecimalText.Format(entry) : null,
        },
        text =>
        {
            TimestampText.Print(text, "", new KeptTimestamp(taken.File, taken.Verdict, null, null));
            foreach (string lacking in taken.Lacking)
                text.WriteLine($"  kept without revocation data: {lacking}");
            text.WriteLine(taken.Entry is { } entry ? $"Recorded as ledger entry {entry}." : "The entry that names it waits in staging, and what the holder of the log key records next takes it in.");
        });
}
