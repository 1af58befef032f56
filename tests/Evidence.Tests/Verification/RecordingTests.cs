using Evidence.Ledger;
using Evidence.Tests.Cli;
using Evidence.Tests.Vaults;
using Evidence.Vaults;
using Xunit;

namespace Evidence.Tests.Verification;

/// <summary>The command gives its report whether or not the outcome can be recorded.</summary>
public sealed class RecordingTests
{
    [Fact]
    public async Task A_report_is_not_lost_where_it_cannot_be_recorded()
    {
        await using SmallVault vault = await SmallVault.CreateAsync();
        foreach (string key in Directory.GetFiles(Path.Combine(vault.Place.At("keys"), "logs"), "*.pem", SearchOption.AllDirectories))
            TestVault.Overwrite(key, [1, 2, 3]);
        CommandRun run = await CommandRun.StartAsync(vault.Place, "--vault", vault.Place.Folder, "--json", "verify");
        Assert.Equal(0, run.ExitCode);
        Assert.Equal("verified", (string?)run.Json["content"]);
        Assert.Null(run.Json["entry"]);
        Assert.Contains("not recorded", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_found_of_damaged_packs_is_recorded()
    {
        await using SmallVault vault = await SmallVault.CreateAsync();
        foreach (var pack in vault.Place.Layout.ListPacks())
            TestVault.Flip(vault.Place.Layout.Pack(pack), new FileInfo(vault.Place.Layout.Pack(pack)).Length - 100);
        CommandRun run = await CommandRun.StartAsync(vault.Place, "--vault", vault.Place.Folder, "--json", "verify");
        Assert.Equal(3, run.ExitCode);
        Assert.Equal("refuted", (string?)run.Json["content"]);
        Assert.NotNull(run.Json["entry"]);
        using Vault open = vault.Place.Open();
        Assert.Equal(EntryKind.Verification, open.Ledger.Entries().Last().Entry!.Payload.Kind);
    }
}
