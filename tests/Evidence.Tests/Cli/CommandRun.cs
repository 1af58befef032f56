using System.Diagnostics;
using System.Text.Json.Nodes;
using Evidence.Tests.Vaults;

namespace Evidence.Tests.Cli;

/// <summary>The command as a process of its own: exit code and both outputs are what scripts see.</summary>
internal sealed record CommandRun(int ExitCode, string Output, string Error)
{
    public JsonObject Json => JsonNode.Parse(Output)!.AsObject();

    public static async Task<CommandRun> StartAsync(TestVault place, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, UseShellExecute = false, WorkingDirectory = place.At("") };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "Evidence.Cli.dll"));
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        start.Environment["EVIDENCE_HOME"] = place.At("keys");
        start.Environment["XDG_CACHE_HOME"] = place.At("cache");
        start.Environment.Remove("EVIDENCE_VAULT");
        start.Environment.Remove("EVIDENCE_ACTOR");
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync(TestVault.Stop);
        Task<string> error = process.StandardError.ReadToEndAsync(TestVault.Stop);
        await process.WaitForExitAsync(TestVault.Stop);
        return new CommandRun(process.ExitCode, await output, await error);
    }
}
