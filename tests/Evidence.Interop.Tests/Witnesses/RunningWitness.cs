using System.Text.Json;
using Evidence.Interop.Tests.Harness;
using Evidence.Ledger.Witnesses;

namespace Evidence.Interop.Tests.Witnesses;

/// <summary>The command as a witness, until it is stopped.</summary>
internal sealed class RunningWitness : IDisposable
{
    private readonly RunningProcess process;

    private RunningWitness(RunningProcess process, Uri address)
    {
        this.process = process;
        Address = address;
        Client = new HttpClient { BaseAddress = address };
    }

    internal Uri Address { get; }

    /// <summary>The framework's client, with nothing of ours about it.</summary>
    internal HttpClient Client { get; }

    /// <summary>Starts it, and waits until it listens.</summary>
    internal static RunningWitness Start(EvidenceCommand evidence, string state, params string[] logKeys)
    {
        RunningProcess started = evidence.Start(
            ["--json", "witness", "serve", "--listen", "127.0.0.1:0", "--state", state, .. logKeys.SelectMany(key => (string[])["--log", key])]);
        started.WaitUntil(() => started.Shown.EndsWith('\n'));
        return started.HasExited
            ? throw new InvalidOperationException(started.Wait().ToString())
            : new RunningWitness(started, new Uri($"http://{JsonDocument.Parse(started.Shown).RootElement.GetProperty("listen").GetString()}/"));
    }

    internal Task<HttpResponseMessage> AddAsync(byte[] request, CancellationToken cancellation) =>
        Client.PostAsync("add-checkpoint", new ByteArrayContent(request), cancellation);

    /// <summary>What it gives out as the last checkpoint that it cosigned; null where it says that there is none.</summary>
    internal async Task<byte[]?> LastAsync(string origin, CancellationToken cancellation)
    {
        HttpResponseMessage answer = await Client.GetAsync($"{WitnessState.HashOf(origin)}/checkpoint", cancellation);
        return answer.IsSuccessStatusCode ? await answer.Content.ReadAsByteArrayAsync(cancellation) : null;
    }

    internal CommandResult Stop()
    {
        process.Signal("INT");
        return process.Wait();
    }

    internal void Kill()
    {
        process.Signal("KILL");
        _ = process.Wait();
    }

    public void Dispose()
    {
        Client.Dispose();
        process.Dispose();
    }
}
