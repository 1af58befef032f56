using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Xunit;

namespace Evidence.Tests;

/// <summary>A user who may do nothing, for tests that run as root, who may do everything.</summary>
internal static partial class Nobody
{
    private const uint Id = 65534;

    /// <summary>Runs on a thread that, for files, is nobody. Other threads stay who they are (setfsuid(2)).</summary>
    internal static void Run(Action action)
    {
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            _ = SetFileSystemUser(Id);
            failure = Record.Exception(action);
        });
        thread.Start();
        thread.Join();
        if (failure is not null)
            ExceptionDispatchInfo.Throw(failure);
    }

    [LibraryImport("libc", EntryPoint = "setfsuid")]
    private static partial int SetFileSystemUser(uint user);
}
