using System.Runtime.Versioning;
using Evidence.Vaults;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Evidence.Tests.Vaults;

public sealed class StagingFolderTests : IDisposable
{
    private readonly TestVault place = new();

    [Fact]
    public async Task Writers_that_come_and_go_do_not_touch_each_other()
    {
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(
            () =>
            {
                for (int i = 0; i < 40; i++)
                {
                    using var staging = StagingFolder.Create(place.Layout, NullLogger.Instance);
                    string file = staging.NewFile("1.pack");
                    File.WriteAllText(file, "mine");
                    Assert.Equal("mine", File.ReadAllText(file));
                }
            },
            TestVault.Stop)));
        Assert.Empty(Directory.EnumerateDirectories(place.Layout.Staging));
    }

    [Fact]
    public void A_folder_that_is_gone_already_is_no_matter()
    {
        var staging = StagingFolder.Create(place.Layout, NullLogger.Instance);
        Directory.Delete(place.Layout.Staging, recursive: true);
        staging.Dispose();
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public void A_leftover_of_another_user_is_left_to_that_user()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "It takes root to be another user.");
        var others = StagingFolder.Create(place.Layout, NullLogger.Instance);
        File.SetUnixFileMode(place.Layout.Staging, (UnixFileMode)0x1FF);
        File.SetUnixFileMode(Path.Combine(place.Layout.Staging, StagingFolder.LockName), (UnixFileMode)0x1B6);
        // For files a user of root's group.
        foreach (string above in (string[])[place.At("."), place.Folder])
            File.SetUnixFileMode(above, File.GetUnixFileMode(above) | UnixFileMode.GroupExecute);
        Nobody.Run(() =>
        {
            using var own = StagingFolder.Create(place.Layout, NullLogger.Instance);
            Assert.True(Directory.Exists(own.FolderPath));
        });
        Assert.Equal([others.FolderPath], Directory.GetDirectories(place.Layout.Staging));
        others.Dispose();
    }

    public void Dispose() => place.Dispose();
}
