using System.CommandLine;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Preservation;
using Evidence.Vaults;

namespace Evidence.Cli.Commands;

internal static class PolicyCommand
{
    private static readonly Option<string?> Output = new("--output") { Description = "The file. One that is there is not overwritten.", HelpName = "FILE" };

    private static readonly Option<string?> Name = new("--name") { Description = "What it is to be called.", HelpName = "TEXT" };

    private static readonly Option<string[]> Authorities = new("--authority")
    {
        Description = "A time-stamp authority whose time counts: its root certificate, PEM or DER, or that one's SHA-256. May be given several times.",
        HelpName = "FILE",
    };

    private static readonly Option<string[]> Approvers = new("--approver") { Description = "Who may approve: a key's id, as 'evidence identity show' tells. May be given several times.", HelpName = "KEY" };

    internal static Command Build() => new(
        "policy",
        """
        The rules by which servers may be wiped: which holds bind, what counts as preserved, who is told how often, whose objection blocks, who approves. The first one that is
        set is in force at once; each later one only by the rules of the one before it. docs/policy.md says what each rule is for.

        Examples:
          evidence policy default --name "Example Hosting" --authority tsa-root.pem --approver sha256:3f8a... --approver sha256:91c0... --output wipe.yaml
          evidence policy set wipe.yaml
          evidence clear approve 17          a change of policy is approved by its entry
          evidence policy show
        """)
    {
        Default(),
        Set(),
        Show(),
    };

    /// <summary>The policy that is in force.</summary>
    /// <exception cref="EvidenceException">None is.</exception>
    internal static PreservationPolicy InForce(Docket docket, GateMaterial material)
    {
        var force = PolicyInForce.Of(docket, material);
        return force.Policy ?? throw new EvidenceException(ErrorCode.PolicyInvalid, string.Join(' ', force.Reasons.SelectMany(reason => (string?[])[reason.Sentence, reason.WayOut]).OfType<string>()));
    }

    private static Command Default()
    {
        var command = new Command(
            "default",
            """
            Prints the policy that is offered to begin with, with the reasons of its rules. It names no time-stamp authority and nobody who may approve: these are your own, and
            until they are there nothing is cleared by it.

            Example:
              evidence policy default --name "Example Hosting" --authority tsa-root.pem --approver sha256:3f8a... --approver sha256:91c0... --output wipe.yaml
            """)
        {
            Name, Authorities, Approvers, Output,
        };
        Session.Bind(command, async (session, parsed, cancellation) =>
        {
            string[] authorities = parsed.GetValue(Authorities) ?? [];
            string[] approvers = parsed.GetValue(Approvers) ?? [];
            string? name = parsed.GetValue(Name);
            ReadOnlyMemory<byte> document = authorities.Length + approvers.Length == 0 && name is null
                ? PreservationPolicy.DefaultDocument
                : PreservationPolicy.FillIn(name ?? PreservationPolicy.Default.Name, [.. authorities.Select(CertificateOf)], approvers);
            string? path = parsed.GetValue(Output);
            if (path is not null)
            {
                await using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write);
                await file.WriteAsync(document, cancellation);
            }

            PreservationPolicy policy = PreservationPolicy.Parse(document.Span);
            session.Answer(
                () => new JsonObject
                {
                    ["file"] = path,
                    ["policy"] = policy.Digest.ToString(),
                    ["name"] = policy.Name,
                    ["lacking"] = DocketOptions.Strings(policy.Lacking),
                    ["text"] = Encoding.UTF8.GetString(document.Span),
                },
                text =>
                {
                    if (path is null)
                    {
                        foreach (string line in Encoding.UTF8.GetString(document.Span).TrimEnd('\n').Split('\n'))
                            text.WriteLine(line);
                        return;
                    }

                    text.WriteLine($"Written: {path}, the policy '{policy.Name}'.");
                    foreach (string lacking in policy.Lacking)
                        text.WriteLine($"  {lacking}");
                });
            return ExitCode.Done;
        });
        return command;
    }

    private static Command Set()
    {
        var file = new Argument<string>("FILE") { Description = "The policy: YAML." };
        var command = new Command(
            "set",
            """
            Puts a policy into the ledger. The first is in force at once; a later one when it is approved as the one before asks, and its wait is over.

            Example:
              evidence policy set wipe.yaml
            """)
        {
            file,
        };
        Session.Bind(command, (session, parsed, _) =>
        {
            var policy = PreservationPolicy.Load(parsed.GetValue(file)!);
            byte[] document = File.ReadAllBytes(parsed.GetValue(file)!);
            using Vault vault = session.OpenVault();
            var writer = new DocketWriter(vault);
            bool isFirst = !writer.Docket.Policies.Any(policy => policy.IsOfFirm);
            long? entry = writer.Propose(document);
            session.Answer(DocketOptions.One(entry), json => json["policy"] = policy.Digest.ToString(), text =>
            {
                text.WriteLine(isFirst
                    ? $"  The policy '{policy.Name}' is in force from this entry on."
                    : $"  The policy '{policy.Name}' waits for approvals ('evidence clear approve {entry}') and for its time: 'evidence policy show' says for what.");
            });
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static Command Show()
    {
        var command = new Command("show", "Says which policy is in force, and why; and what became of those that were proposed since.");
        Session.Bind(command, (session, _, cancellation) =>
        {
            using Vault vault = session.OpenVault();
            var docket = Docket.Read(vault.Ledger.Open(), cancellation: cancellation);
            var force = PolicyInForce.Of(docket, GateMaterial.Of(vault, docket));
            session.Answer(
                () => new JsonObject
                {
                    ["size"] = DecimalText.Format(docket.Size),
                    ["policy"] = force.Policy?.Digest.ToString(),
                    ["name"] = force.Policy?.Name,
                    ["entry"] = DocketOptions.Number(force.Act?.Entry),
                    ["reasons"] = new JsonArray([.. force.Reasons.Select(DecisionText.ToJson)]),
                    ["proposed"] = new JsonArray([.. docket.Policies.Select(policy => new JsonObject
                    {
                        ["entry"] = DocketOptions.Number(policy.Entry),
                        ["policy"] = policy.Statement.Policy.ToString(),
                        ["name"] = policy.Statement.Name,
                        ["approvals"] = DocketOptions.Numbers(docket.ApprovalsOf(policy.LeafHash).Select(approval => approval.Entry)),
                    })]),
                },
                text =>
                {
                    foreach (GateReason reason in force.Reasons)
                    {
                        text.WriteLine(reason.Sentence);
                        if (reason.WayOut is { } way)
                            text.WriteLine($"  {way}");
                    }

                    if (force.Policy is { } policy)
                        text.WriteLine($"'evidence document export sha256:{policy.Digest} --output FILE' hands it out.");
                });
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    /// <summary>The SHA-256 of a certificate, of its file or as it was given.</summary>
    private static Sha256Digest CertificateOf(string authority)
    {
        if (authority.Length == 2 * Sha256Digest.Size && Sha256Digest.TryParse(authority, out Sha256Digest digest))
            return digest;
        try
        {
            byte[] bytes = File.ReadAllBytes(authority);
            using X509Certificate2 certificate = bytes.AsSpan().StartsWith("-----BEGIN"u8)
                ? X509Certificate2.CreateFromPem(Encoding.ASCII.GetString(bytes))
                : X509CertificateLoader.LoadCertificate(bytes);
            return Sha256Digest.Compute(certificate.RawData);
        }
        catch (CryptographicException e)
        {
            throw new EvidenceException(ErrorCode.Usage, $"{authority} is no certificate, PEM or DER: {e.Message}", e);
        }
    }
}
