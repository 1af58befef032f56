using System.CommandLine;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Segments;
using Evidence.Vaults;

namespace Evidence.Cli.Commands;

internal static class InitCommand
{
    private static readonly Option<string> Average = new("--segment-average")
    {
        Description = "The nominal length of segments, a power of two from 4KiB to 1MiB. Smaller ones deduplicate better and cost more to keep track of.",
        HelpName = "SIZE",
        DefaultValueFactory = _ => "64KiB",
    };

    private static readonly Option<string?> Origin = new("--origin")
    {
        Description = "The vault's own name in its ledger, a URL without a scheme: lab.example/vault-7. Without it: this machine's name and a random part.",
        HelpName = "NAME",
    };

    internal static Command Build()
    {
        var command = new Command(
            "init",
            """
            Makes a new vault, and declares it and its keeper in its ledger.

            Example:
              evidence --vault /srv/vault init --origin lab.example/vault-7 --compression best
            """)
        {
            Average, Options.Compression, Origin,
        };
        Session.Bind(command, (session, parsed, _) =>
        {
            SegmentParameters segments = Units.TryParseSize(parsed.GetValue(Average)!, out long average)
                ? SegmentParameters.ForAverage(average)
                : throw new EvidenceException(ErrorCode.Usage, $"'{parsed.GetValue(Average)}' is not a size. Example: 64KiB");
            VaultSettings settings = VaultSettings.CreateNew(parsed.GetValue(Origin), segments, Options.CompressionOf(parsed) ?? Compression.Fast);
            using Vault vault = Vault.Create(session.VaultFolder, settings, session.Access);
            session.Answer(
                () => new JsonObject { ["vault"] = vault.Folder, ["id"] = settings.Id, ["origin"] = settings.Origin, ["created"] = Timestamps.Format(settings.Created) },
                text =>
                {
                    text.WriteLine($"Made a vault at {vault.Folder}");
                    text.WriteLine($"  origin     {settings.Origin}");
                    text.WriteLine($"  log key    {vault.Ledger.Keys()[0]}");
                    text.WriteLine($"  keeper     {session.Access.Actor}; private keys are in {Evidence.Ledger.KeyStore.DefaultFolder()}, never in the vault");
                });
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }
}
