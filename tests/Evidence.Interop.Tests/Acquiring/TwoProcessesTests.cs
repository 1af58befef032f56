using System.Security.Cryptography;
using System.Text.Json;
using Evidence.Interop.Tests.Harness;
using Xunit;

namespace Evidence.Interop.Tests.Acquiring;

public sealed class TwoProcessesTests : IDisposable
{
    private readonly EvidenceCommand evidence = new();

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public void Processes_that_image_into_one_vault_at_once_are_all_recorded(bool vaultExists, bool alike)
    {
        const int Processes = 3;
        byte[] content = RandomNumberGenerator.GetBytes(4_000_000);
        for (int n = 0; n < Processes; n++)
            File.WriteAllBytes(evidence.PathOf($"disk-{n}.img"), alike ? content : RandomNumberGenerator.GetBytes(4_000_000));
        if (vaultExists)
            evidence.Json("init").Succeeds();

        RunningProcess[] running = [.. Enumerable.Range(0, Processes).Select(n => evidence.Start("--json", "acquire", $"disk-{n}.img"))];
        foreach (RunningProcess process in running)
        {
            using (process)
                process.Wait().Succeeds().Image();
        }

        JsonElement[] entries = [.. evidence.Json("log", "--kind", "acquisition").Succeeds().Json.GetProperty("entries").EnumerateArray()];
        Assert.Equal(Processes, entries.Length);
        Assert.All(entries, entry => Assert.Equal("valid", entry.GetProperty("signature").GetString()));
        Assert.Equal(
            Enumerable.Range(0, Processes).Select(n => $"disk-{n}.img"),
            entries.SelectMany(e => e.GetProperty("items").EnumerateArray()).Select(i => i.GetString()!).Order(StringComparer.Ordinal),
            StringComparer.Ordinal);
        evidence.VerifyAll();
        evidence.LeavesNothingBehind();
        for (int n = 0; n < Processes; n++)
        {
            evidence.Run("export", $"disk-{n}.img", "--output", $"export-{n}.img").Succeeds();
            Peer.Compare(evidence.PathOf($"disk-{n}.img"), evidence.PathOf($"export-{n}.img"));
        }
    }

    public void Dispose() => evidence.Dispose();
}
