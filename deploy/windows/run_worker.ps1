<#
.SYNOPSIS
Starts a worker from PowerShell, once Redis and the database answer.

.DESCRIPTION
The worker stops, interrupts and limits its jobs by POSIX signals, so on Windows it runs in WSL 2. Its
settings come from .env in the checkout, and from what is set here (REDIS_URL, DATABASE_URL,
ARTIFACT_URL, WORKER_...). Elsewhere PowerShell starts it directly.

Exit codes are the worker's own: 0 stopped as asked, 69 Redis, the database or WSL is missing,
78 settings are wrong.

.EXAMPLE
.\deploy\windows\run_worker.ps1 worker-1
.EXAMPLE
.\deploy\windows\run_worker.ps1 -Distribution Debian worker-1 --burst
#>
param(
    [string]$Name = "worker-1",
    [string]$Distribution = "",
    [switch]$CheckOnly,
    [Parameter(ValueFromRemainingArguments = $true)]
    [string[]]$More = @()
)

$ErrorActionPreference = "Stop"
# Exit codes of the worker are looked at below; newer PowerShells would make errors of them.
$PSNativeCommandUseErrorActionPreference = $false
$Unavailable = 69
$WrongSettings = 78
$Root = (Resolve-Path (Join-Path $PSScriptRoot "../..")).Path
$OnWindows = $env:OS -eq "Windows_NT"

function Write-Help([string[]]$Lines) {
    foreach ($Line in $Lines) {
        Write-Host "  $Line" -ForegroundColor Yellow
    }
}

# WSL hands on those variables alone that WSLENV lists.
function Share-Settings {
    $Names = @("REDIS_URL", "DATABASE_URL", "ARTIFACT_URL")
    $Names += @(Get-ChildItem "Env:WORKER_*" | ForEach-Object { $_.Name })
    $Set = @($Names | Where-Object { Test-Path "Env:$_" })
    $Listed = @("$env:WSLENV" -split ":" | Where-Object { $_ })
    $env:WSLENV = @($Listed + $Set | Select-Object -Unique) -join ":"
}

function Invoke-Worker([string[]]$Arguments) {
    if ($OnWindows) {
        $Command = @()
        if ($Distribution) {
            $Command += @("-d", $Distribution)
        }
        $Command += @("--cd", $Root, "--exec", "./run_worker.sh")
        $Command += $Arguments
        & wsl.exe @Command | Out-Host
    }
    else {
        $Script = Join-Path $Root "run_worker.sh"
        & $Script @Arguments | Out-Host
    }
    return $LASTEXITCODE
}

if ($OnWindows) {
    if (-not (Get-Command "wsl.exe" -ErrorAction SilentlyContinue)) {
        Write-Host "WSL is not installed, and the worker needs it." -ForegroundColor Red
        Write-Help @("wsl --install", "then start this script again")
        exit $Unavailable
    }
    Share-Settings
}

Write-Host "Checking settings, Redis and the database ..."
$Checked = Invoke-Worker @("--check")
if ($Checked -eq $WrongSettings) {
    Write-Host "Settings are wrong; each is named above." -ForegroundColor Red
    Write-Help @("they come from $(Join-Path $Root '.env') and the environment; see .env.example")
    exit $WrongSettings
}
if ($Checked -ne 0) {
    Write-Host "Redis or the database does not answer; the line above says which." -ForegroundColor Red
    Write-Help @(
        "install Redis:   wsl sudo apt-get install redis-server",
        "start Redis:     wsl sudo service redis-server start",
        "look whether:    wsl redis-cli ping        (it says PONG)",
        "another host:    set REDIS_URL and DATABASE_URL in .env, and let its port (6379) through the firewall"
    )
    exit $Unavailable
}
if ($CheckOnly) {
    exit 0
}

Write-Host "Starting $Name; Ctrl-C stops it." -ForegroundColor Green
$Ended = Invoke-Worker (@($Name) + $More)
if ($Ended -ne 0) {
    Write-Host "$Name ended with exit code $Ended." -ForegroundColor Red
}
exit $Ended
