using System.Text.Json;
using Evidence.Interop.Tests.Harness;
using Xunit;

namespace Evidence.Interop.Tests.Serving;

/// <summary>A command that lets others read an image until it is interrupted.</summary>
internal sealed class RunningServer : IDisposable
{
    private readonly RunningProcess process;

    /// <summary>Starts it, and waits until it says where.</summary>
    internal RunningServer(EvidenceCommand evidence, params string[] arguments)
    {
        process = evidence.Start(["--json", .. arguments]);
        process.WaitUntil(() => process.Shown.EndsWith('\n'));
        if (process.HasExited)
            Assert.Fail(process.Wait().ToString());
        Said = JsonDocument.Parse(process.Shown).RootElement;
    }

    internal JsonElement Said { get; }

    internal RunningProcess Process => process;

    /// <summary>Interrupts it, and has it end as it should.</summary>
    internal CommandResult Stop(string signal = "INT")
    {
        process.Signal(signal);
        return process.Wait().Succeeds();
    }

    public void Dispose() => process.Dispose();
}
